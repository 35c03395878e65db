#include "ir/evaluate_graph.h"

#include <cstring>
#include <string>
#include <utility>

#include "ir/evaluate.h"
#include "ir/op_attrs/control.h"
#include "ir/verifier.h"

namespace polaris {
namespace {

class Evaluator {
 public:
  Evaluator(const Graph& graph, std::int64_t& steps_left)
      : graph_(graph), steps_left_(steps_left), values_(graph.value_count()) {}

  Result<GraphValues> run(std::span<const Tensor> inputs, std::span<const Tensor> states);

 private:
  Constant& at(ValueId id) { return values_[static_cast<std::size_t>(id.index)]; }
  Status load(std::span<const Tensor> inputs, std::span<const Tensor> states);
  Result<std::vector<Tensor>> run_node(const Node& node);
  Result<std::vector<Tensor>> run_if(const Node& node);
  Result<std::vector<Tensor>> run_loop(const Node& node);
  /// The one element of a trip count or condition. Errors: invalid, where there is not just one.
  static Result<std::int64_t> scalar(const Node& node, std::string_view what, const Tensor& tensor);
  Result<Tensor> stack(const Node& node, std::size_t body_output, std::span<const Tensor> parts);
  static Error fail(const Node& node, const std::string& what) {
    return Error::invalid("[" + op_full_name(*node.op) + "] node '" + node.name + "': " + what);
  }

  const Graph& graph_;
  std::int64_t& steps_left_;
  std::vector<Constant> values_;  // by ValueId
};

Status Evaluator::load(std::span<const Tensor> inputs, std::span<const Tensor> states) {
  if (inputs.size() != graph_.inputs().size()) {
    return Error::invalid("[graph] inputs, got " + std::to_string(inputs.size()) + ", wanted " +
                          std::to_string(graph_.inputs().size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) at(graph_.inputs()[i]).data = inputs[i];
  for (std::size_t i = 0; i < graph_.states().size(); ++i) {
    const StateUse& use = graph_.states()[i];
    const State& state = *use.state;
    if (i < states.size()) {
      at(use.read).data = states[i];
    } else if (state.initial) {
      at(use.read) = *state.initial;
    } else {
      auto zeros = Tensor::allocate(state.type);
      if (!zeros) return zeros.error().with_context("state '" + state.name + "'");
      at(use.read).data = zeros.take();
    }
  }
  for (std::size_t v = 0; v < values_.size(); ++v) {
    const Value& value = graph_.value(ValueId{static_cast<std::int32_t>(v)});
    if (value.constant) values_[v] = *value.constant;
  }
  return Status::success();
}

Result<GraphValues> Evaluator::run(std::span<const Tensor> inputs, std::span<const Tensor> states) {
  if (auto s = load(inputs, states); !s) return s.error();
  for (NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    if (--steps_left_ < 0) return Error::exhausted("[graph] too many steps to evaluate");
    auto outputs = run_node(node);
    if (!outputs) return outputs.error();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].valid()) at(node.outputs[i]).data = (*outputs)[i];
    }
  }
  GraphValues out;
  for (ValueId id : graph_.outputs()) out.outputs.push_back(at(id).data);
  for (const StateUse& use : graph_.states()) out.states.push_back(at(use.update).data);
  return out;
}

Result<std::vector<Tensor>> Evaluator::run_node(const Node& node) {
  if (auto s = check_ports(node); !s) return s.error();
  if (node.op->is("If")) return run_if(node);
  if (node.op->is("Loop")) return run_loop(node);
  std::vector<const Constant*> inputs;
  for (ValueId id : node.inputs) inputs.push_back(id.valid() ? &at(id) : nullptr);
  return evaluate_node(*node.op, *node.attrs, node.name, inputs,
                       static_cast<int>(node.outputs.size()));
}

Result<std::int64_t> Evaluator::scalar(const Node& node, std::string_view what,
                                       const Tensor& tensor) {
  if (tensor && tensor.elements() == 1) return element_as_i64(tensor, 0);
  return fail(node, std::string(what) + ", got " +
                        (tensor ? tensor.type().to_string() : std::string("nothing")) +
                        ", wanted one element");
}

Result<std::vector<Tensor>> Evaluator::run_if(const Node& node) {
  const auto cond = scalar(node, "cond", at(node.inputs[0]).data);
  if (!cond) return cond.error();
  const Graph& branch = *node.subgraphs[*cond != 0 ? 0 : 1];
  std::vector<Tensor> inputs;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(at(node.inputs[i]).data);
  auto values = Evaluator(branch, steps_left_).run(inputs, {});
  if (!values) return values.error();
  return std::move(values->outputs);
}

Result<std::vector<Tensor>> Evaluator::run_loop(const Node& node) {
  const auto captures = static_cast<std::size_t>(node.attrs_as<LoopAttrs>().captures);
  const std::size_t carried = node.inputs.size() - 2 - captures;
  const Graph& body = *node.subgraphs[0];
  const auto input = [&](std::size_t i, std::string_view what,
                         std::int64_t absent) -> Result<std::int64_t> {
    return node.inputs[i].valid() ? scalar(node, what, at(node.inputs[i]).data) : absent;
  };
  const auto trips = input(0, "M", INT64_MAX);
  const auto first = input(1, "cond", 1);
  if (!trips) return trips.error();
  if (!first) return first.error();
  bool cond = *first != 0;
  std::vector<Tensor> state(node.inputs.size());
  for (std::size_t i = 2; i < state.size(); ++i) state[i] = at(node.inputs[i]).data;
  std::vector<std::vector<Tensor>> scans(node.outputs.size() - carried);
  for (std::int64_t trip = 0; trip < *trips && cond; ++trip) {
    const std::uint8_t go = 1;
    auto index = Tensor::from<std::int64_t>(DType::kI64, {}, {&trip, 1});
    if (!index) return index.error();
    auto flag = Tensor::from<std::uint8_t>(DType::kBool, {}, {&go, 1});
    if (!flag) return flag.error();
    state[0] = index.take();
    state[1] = flag.take();
    if (--steps_left_ < 0) return Error::exhausted("[graph] too many steps to evaluate");
    auto values = Evaluator(body, steps_left_).run(state, {});
    if (!values) return values.error();
    const auto next = scalar(node, "the body's cond", values->outputs[0]);
    if (!next) return next.error();
    cond = *next != 0;
    for (std::size_t i = 0; i < carried; ++i) state[2 + i] = values->outputs[1 + i];
    for (std::size_t i = 0; i < scans.size(); ++i) {
      scans[i].push_back(values->outputs[1 + carried + i]);
    }
  }
  std::vector<Tensor> out(state.begin() + 2, state.begin() + 2 + static_cast<long>(carried));
  for (std::size_t i = 0; i < scans.size(); ++i) {
    auto stacked = stack(node, 1 + carried + i, scans[i]);
    if (!stacked) return stacked.error();
    out.push_back(stacked.take());
  }
  return out;
}

Result<Tensor> Evaluator::stack(const Node& node, std::size_t body_output,
                                std::span<const Tensor> parts) {
  const Graph& body = *node.subgraphs[0];
  TensorType type = parts.empty() ? body.value(body.outputs()[body_output]).type : parts[0].type();
  for (int i = 0; i < type.shape.rank(); ++i) {
    if (!is_static_dim(type.shape[i])) type.shape[i] = 0;  // no iteration told
  }
  type.shape.insert(0, static_cast<std::int64_t>(parts.size()));
  auto out = Tensor::allocate(type);
  if (!out) return out;
  std::size_t offset = 0;
  for (const Tensor& part : parts) {
    if (part.type() != parts[0].type()) {
      return fail(node, "scan output of " + part.type().to_string() + " after one of " +
                            parts[0].type().to_string());
    }
    const auto bytes = part.bytes();
    if (!bytes.empty()) {
      std::memcpy(out->mutable_bytes().data() + offset, bytes.data(), bytes.size());
    }
    offset += bytes.size();
  }
  return out;
}

}  // namespace

Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs,
                                   std::span<const Tensor> states, std::int64_t steps_max) {
  std::int64_t steps_left = steps_max;
  return Evaluator(graph, steps_left).run(inputs, states);
}

Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs) {
  return evaluate_graph(graph, inputs, {}, 10'000'000);
}

}  // namespace polaris
