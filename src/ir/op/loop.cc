#include "ir/any_rank.h"
#include "ir/op_attrs/control.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto scalar = [&](int i, DType dtype) {
    const auto elements = c.in(i).shape.checked_elements();
    return c.in(i).dtype == dtype && (!elements || *elements == 1);
  };
  if (c.has(0) && !scalar(0, DType::kI64)) {
    return c.fail("M, got " + c.in(0).to_string() + ", wanted one int64");
  }
  if (c.has(1) && !scalar(1, DType::kBool)) {
    return c.fail("cond, got " + c.in(1).to_string() + ", wanted one bool");
  }
  const Graph& body = *c.subgraphs[0];
  const auto body_type = [&](std::size_t output) -> const TensorType& {
    return body.value(body.outputs()[output]).type;
  };
  const auto next = body_type(0).shape.checked_elements();
  if (body_type(0).dtype != DType::kBool || (next && *next != 1)) {
    return c.fail("the body's cond, got " + body_type(0).to_string() + ", wanted one bool");
  }
  const auto captures = static_cast<std::size_t>(c.as<LoopAttrs>().captures);
  const std::size_t carried = c.inputs.size() - 2 - captures;
  if (c.outputs.size() + 1 != body.outputs().size()) {
    return c.fail("outputs of the body, got " + std::to_string(body.outputs().size()) +
                  ", wanted " + std::to_string(c.outputs.size() + 1));
  }
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    TensorType type = body_type(1 + i);
    if (i < carried) {
      // No iteration at all hands the initial value out.
      const auto merged = join_types(type, body.value(body.inputs()[2 + i]).type);
      if (!merged) return c.fail("carried value " + std::to_string(i) + " changes its type");
      type = *merged;
    } else if (has_any_rank(type.shape)) {
      // One dim more than any rank is any rank.
    } else if (type.shape.rank() == kMaxRank) {
      return c.fail("rank of scan output " + std::to_string(i) + ", wanted less than " +
                    std::to_string(kMaxRank));
    } else {
      type.shape.insert(0, kUnknownDim);
    }
    c.outputs[i] = type;
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"M", kOptional | kHostRead},
                            {"cond", kOptional | kHostRead},
                            {"v_initial", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"v_final_and_scan_outputs", kOptional | kVariadic}};

}  // namespace

extern constinit const OpDef op_loop{
    .name = "Loop",
    .doc =
        "Runs the body up to M times while cond holds, both may be absent. The body maps "
        "(iteration, "
        "cond, carried..., captures...) to (cond, carried..., scan elements...); scan elements are "
        "stacked along a new first dim.",
    .since = 25,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kControl,
    .make_attrs = make_attrs<LoopAttrs>,
    .infer = infer,
};

}  // namespace polaris
