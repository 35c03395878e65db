#include "ir/op_attrs/shape.h"

#include <algorithm>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// The dims [first, last) that the output lists.
struct Range {
  int first = 0;
  int last = 0;
};

Range range_of(const ShapeAttrs& attrs, int rank) {
  const auto place = [rank](std::int64_t v) {
    if (v < 0) v = std::max<std::int64_t>(v, -rank) + rank;
    return static_cast<int>(std::min<std::int64_t>(v, rank));
  };
  const Range r{place(attrs.start), place(attrs.end)};
  return {r.first, std::max(r.first, r.last)};
}

Status infer(InferContext& c) {
  const Range r = range_of(c.as<ShapeAttrs>(), c.in(0).shape.rank());
  set_output(c, 0, DType::kI64, Shape{r.last - r.first});
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const Range r = range_of(c.as<ShapeAttrs>(), in.rank());
  for (int i = r.first; i < r.last; ++i) put_i64(c.out(0), i - r.first, in[i]);
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}};
constexpr Port kOutputs[] = {{"shape"}};

}  // namespace

extern constinit const OpDef op_shape{
    .name = "Shape",
    .doc = "The dims of the input from start to end.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kTypeOnly,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<ShapeAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
