#include "ir/op_util/cast.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/cast_text.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_round_mode(c, c.as<CastAttrs>().round_mode); !s) return s;
  set_output(c, 0, c.as<CastAttrs>().to, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<CastAttrs>();
  cast_elements(c.in(0), c.out(0), small_rounding(attrs.saturate, attrs.round_mode));
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<CastAttrs>();
  auto out = cast_text(c, attrs.to, small_rounding(attrs.saturate, attrs.round_mode));
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_cast{
    .name = "Cast",
    .doc =
        "Converts the element type. Float to integer truncates toward zero and saturates, and NaN "
        "gives 0; integers keep their low bits; bool is `not zero` (NaN is true); what a float "
        "type cannot hold is rounded once, to nearest even. Integers of 4 and 2 bits keep the low "
        "bits of the number without its fraction. 8-bit floats take what is beyond them as their "
        "largest number, or without `saturate` as infinity or NaN; float8_e8m0fnu rounds by "
        "`round_mode` and takes what is below it, 0 and negative numbers as its smallest or NaN. "
        "Strings are read as decimal numbers, INF and NaN in either case, and written with "
        "the fewest digits that tell them apart; one that is no number of the type is an error.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<CastAttrs>,
    .infer = infer,
    .reference = reference,
    .host = host,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
