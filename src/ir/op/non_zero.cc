#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  set_output(c, 0, DType::kI64, Shape{in.rank(), kUnknownDim});
  if (!c.bounds.empty()) {
    c.bounds[0] = Shape{in.rank(), in.checked_elements().value_or(kUnknownDim)};
  }
  return Status::success();
}

bool is_zero(const RefTensor& x, std::int64_t i) {
  return is_float(x.type.dtype) ? get_f64(x, i) == 0.0 : get_i64(x, i) == 0;
}

Status reference(RefContext& c) {
  const RefTensor& x = c.in(0);
  const int rank = x.type.shape.rank();
  std::int64_t count = 0;
  for (std::int64_t i = 0, n = x.type.shape.elements(); i < n; ++i) count += is_zero(x, i) ? 0 : 1;
  c.out(0).type.shape = Shape{rank, count};
  std::int64_t found = 0;
  Walk walk(x.type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    if (is_zero(x, i)) continue;
    for (int d = 0; d < rank; ++d) put_i64(c.out(0), d * count + found, walk.at()[d]);
    ++found;
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_non_zero{
    .name = "NonZero",
    .doc = "Indices of the elements that are not zero, [rank, count], in row-major order.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kDataDependent,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
