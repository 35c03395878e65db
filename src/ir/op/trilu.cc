#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_rank(c, 0, 2), check_dtype(c, 1, dtype_set(DType::kI64)),
                      check_rank(c, 1, 0, 1));
      !s) {
    return s;
  }
  if (c.has(1) && c.in(1).shape.rank() == 1) {
    if (auto s = check_dims(c, "size of k", c.in(1).shape[0], 1); !s) return s;
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& shape = c.in(0).type.shape;
  const bool upper = c.as<TriluAttrs>().upper;
  const std::int64_t k = c.has(1) ? get_i64(c.in(1), 0) : 0;
  const std::int64_t columns = shape.back();
  const std::int64_t rows = shape[shape.rank() - 2];
  for (std::int64_t i = 0, n = shape.elements(); i < n; ++i) {
    const std::int64_t right = i % columns - i / columns % rows;
    if (upper ? right >= k : right <= k) {
      copy_elements(c.out(0), i, c.in(0), i);
    } else {
      put_i64(c.out(0), i, 0);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}, {"k", kOptional}};
constexpr Port kOutputs[] = {{"output"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_trilu{
    .name = "Trilu",
    .doc = "The matrices' elements on and above (or below) their k-th diagonal, and zeros.",
    .since = 14,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<TriluAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
