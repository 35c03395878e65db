#include "ir/op_util/compose.h"

#include <utility>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/shape.h"
#include "tensor/element.h"

namespace polaris {
namespace {

ValueId constant_of(DecomposeContext& d, Result<Tensor> tensor) {
  if (tensor) return d.constant(tensor.take());
  d.fail(tensor.error());
  return kNoValue;
}

}  // namespace

ValueId int64_constant(DecomposeContext& d, std::vector<std::int64_t> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return constant_of(d, Tensor::from<std::int64_t>(DType::kI64, shape, values));
}

ValueId scalar_constant(DecomposeContext& d, DType dtype, double value) {
  auto tensor = Tensor::allocate(dtype, Shape{});
  if (tensor) store_f64(dtype, tensor->mutable_bytes().data(), 0, value);
  return constant_of(d, std::move(tensor));
}

ValueId cast_to(DecomposeContext& d, ValueId x, DType dtype) {
  if (!x.valid() || d.type(x).dtype == dtype) return x;
  auto attrs = std::make_unique<CastAttrs>();
  attrs->to = dtype;
  return d.add("Cast", {x}, std::move(attrs));
}

ValueId reshape_to(DecomposeContext& d, ValueId x, std::vector<std::int64_t> shape) {
  return d.add("Reshape", {x, int64_constant(d, std::move(shape))});
}

ValueId transpose_by(DecomposeContext& d, ValueId x, std::vector<std::int64_t> perm) {
  auto attrs = std::make_unique<TransposeAttrs>();
  attrs->perm = std::move(perm);
  return d.add("Transpose", {x}, std::move(attrs));
}

ValueId unsqueeze_at(DecomposeContext& d, ValueId x, std::vector<std::int64_t> axes) {
  return d.add("Unsqueeze", {x, int64_constant(d, std::move(axes))});
}

ValueId dim_of(DecomposeContext& d, ValueId x, std::int64_t axis) {
  return d.add("Gather",
               {d.add("Shape", {x}), scalar_constant(d, DType::kI64, static_cast<double>(axis))});
}

}  // namespace polaris
