#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/cast.h"
#include "ir/op_util/cast_text.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_round_mode(c, c.as<CastLikeAttrs>().round_mode); !s) return s;
  set_output(c, 0, c.in(1).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<CastLikeAttrs>();
  cast_elements(c.in(0), c.out(0), small_rounding(attrs.saturate, attrs.round_mode));
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<CastLikeAttrs>();
  auto out = cast_text(c, c.in(1).dtype(), small_rounding(attrs.saturate, attrs.round_mode));
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kStrings}, {"target_type", kStrings}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_cast_like{
    .name = "CastLike",
    .doc = "Cast to the element type of the second input.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CastLikeAttrs>,
    .infer = infer,
    .reference = reference,
    .host = host,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
