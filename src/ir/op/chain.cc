#include "ir/op_attrs/chain.h"
#include "ir/builtin_op.h"
#include "ir/decompose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

constexpr int kArgs = 3;

Status check_steps(const InferContext& c, const ChainAttrs& attrs) {
  if (attrs.ops.empty() || attrs.args.size() != attrs.ops.size() * kArgs) {
    return c.fail("args, got " + std::to_string(attrs.args.size()) + " for " +
                  std::to_string(attrs.ops.size()) + " ops, wanted 3 an op and one op at least");
  }
  for (std::size_t s = 0; s < attrs.ops.size(); ++s) {
    const OpDef* op = find_builtin_op(attrs.ops[s]);
    if (op == nullptr || op->scalar == nullptr || op->make_attrs != nullptr) {
      return c.fail("step " + std::to_string(s) + ", got '" + attrs.ops[s] +
                    "', wanted an elementwise op without attributes");
    }
    const std::int64_t known = c.input_count() + static_cast<std::int64_t>(s);
    for (std::size_t a = 0; a < kArgs; ++a) {
      const std::int64_t arg = attrs.args[s * kArgs + a];
      if (arg >= known || arg < (a == 0 ? 0 : -1)) {
        return c.fail("argument " + std::to_string(a) + " of step " + std::to_string(s) + ", got " +
                      std::to_string(arg) + ", wanted one below " + std::to_string(known));
      }
    }
  }
  return Status::success();
}

Status infer(InferContext& c) {
  if (auto s = check_steps(c, c.as<ChainAttrs>()); !s) return s;
  return infer_broadcast_in(c, dtype_set(DType::kF32, DType::kF16, DType::kBF16));
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<ChainAttrs>();
  std::vector<const OpDef*> steps;
  for (const std::string& name : attrs.ops) steps.push_back(find_builtin_op(name));
  const NoAttrs none;
  const std::size_t inputs = c.inputs.size();
  std::vector<double> value(inputs + steps.size());
  Walk walk(c.out(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    for (std::size_t k = 0; k < inputs; ++k) {
      const RefTensor& in = c.in(static_cast<int>(k));
      value[k] = get_f64(in, broadcast_offset(in.type.shape, walk.at()));
    }
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const std::int64_t a = attrs.args[s * kArgs];
      const std::int64_t b = attrs.args[s * kArgs + 1];
      // float32 between steps, whatever the inputs are: no less than what the plain ops keep.
      value[inputs + s] =
          static_cast<float>(steps[s]->scalar(none, value[static_cast<std::size_t>(a)],
                                              b < 0 ? 0.0 : value[static_cast<std::size_t>(b)]));
    }
    put_f64(c.out(0), i, value.back());
  }
  return Status::success();
}

Status decompose(DecomposeContext& c) {
  const auto& attrs = c.as<ChainAttrs>();
  std::vector<ValueId> values;
  for (int i = 0; i < c.input_count(); ++i) values.push_back(c.input(i));
  for (std::size_t s = 0; s < attrs.ops.size(); ++s) {
    std::vector<ValueId> inputs;
    for (std::size_t a = 0; a < kArgs; ++a) {
      const std::int64_t arg = attrs.args[s * kArgs + a];
      if (arg >= 0) inputs.push_back(values[static_cast<std::size_t>(arg)]);
    }
    values.push_back(c.add(attrs.ops[s], std::move(inputs)));
  }
  c.set_output(0, values.back());
  return c.status();
}

std::int64_t flops(const NodeTypes& n) {
  const auto& attrs = static_cast<const ChainAttrs&>(*n.attrs);
  return n.outputs[0].shape.elements() * static_cast<std::int64_t>(attrs.ops.size());
}

constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_chain{
    .name = "Chain",
    .domain = "polaris",
    .doc =
        "A fused chain of elementwise ops over float inputs of one type that broadcast. Steps are "
        "float32; the last, rounded to the inputs' type, is the result.",
    .inputs = kVariadicInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<ChainAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceUnary,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
