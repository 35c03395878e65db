#include "ir/op_attrs/control.h"
#include "load/tflite/op/recurrent.h"

namespace polaris::tflite {
namespace {

// As many steps as are worth a copy of their nodes each.
constexpr std::int64_t kCopiesMax = 8;

StepsResult copies(OperatorImport& o, ValueId x, std::int64_t count, std::vector<ValueId> carried,
                   const std::vector<ValueId>& same, const Step& step, bool backward) {
  Builder& b = o.builder();
  std::vector<ValueId> outputs(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count && o.ok(); ++k) {
    const std::int64_t i = backward ? count - 1 - k : k;
    const ValueId at = b.add("Squeeze", {b.slice(x, 0, i, i + 1), b.ints({0})});
    StepResult result = step(b, at, carried, same);
    carried = std::move(result.carried);
    outputs[static_cast<std::size_t>(i)] = b.add("Unsqueeze", {result.output, b.ints({0})});
  }
  return {std::move(carried), b.add("Concat", std::move(outputs), {{"axis", std::int64_t{0}}})};
}

TensorType without_first(TensorType type) {
  if (type.shape.rank() > 0) type.shape.erase(0);
  return type;
}

StepsResult scan(OperatorImport& o, ValueId x, const std::vector<ValueId>& carried,
                 const std::vector<ValueId>& same, const Step& step, bool backward) {
  Builder& b = o.builder();
  auto body = std::make_shared<Graph>();
  body->share_symbols(b.graph());
  Builder inner(*body, b.ops());
  const auto input = [&](ValueId like, std::string name, bool slice) {
    const TensorType& type = b.graph().value(like).type;
    const ValueId out = body->add_input(std::move(name), slice ? without_first(type) : type);
    if (b.has_type(like)) inner.mark_typed(out);
    return out;
  };
  std::vector<ValueId> inner_carried;
  std::vector<ValueId> inner_same;
  for (std::size_t i = 0; i < carried.size(); ++i) {
    inner_carried.push_back(input(carried[i], "carried" + std::to_string(i), false));
  }
  const ValueId at = input(x, "x", true);
  for (std::size_t i = 0; i < same.size(); ++i) {
    inner_same.push_back(same[i].valid() ? input(same[i], "same" + std::to_string(i), false)
                                         : kNoValue);
  }
  const StepResult result = step(inner, at, inner_carried, inner_same);
  if (!inner.status()) {
    b.fail(inner.status().error());
    return {};
  }
  for (std::size_t i = 0; i < result.carried.size(); ++i) {
    body->mark_output(result.carried[i], "carried" + std::to_string(i));
  }
  body->mark_output(result.output, "output");
  auto attrs = std::make_unique<ScanAttrs>();
  attrs->num_scan_inputs = 1;
  if (backward) {
    attrs->scan_input_directions = {1};
    attrs->scan_output_directions = {1};
  }
  std::vector<ValueId> inputs = carried;
  inputs.push_back(x);
  for (const ValueId value : same) {
    if (!value.valid()) continue;
    inputs.push_back(value);
    ++attrs->captures;
  }
  const int outputs = static_cast<int>(carried.size()) + 1;
  auto results = b.add_control("Scan", std::move(inputs), outputs, std::move(attrs), {body});
  const ValueId last = results.back();
  results.pop_back();
  return {std::move(results), last};
}

}  // namespace

StepsResult run_steps(OperatorImport& o, ValueId x, std::vector<ValueId> carried,
                      const std::vector<ValueId>& same, const Step& step, bool backward) {
  if (!o.ok()) return {};
  const std::int64_t count = o.builder().dim(x, 0);
  if (count >= 1 && count <= kCopiesMax) {
    return copies(o, x, count, std::move(carried), same, step, backward);
  }
  return scan(o, x, carried, same, step, backward);
}

}  // namespace polaris::tflite
