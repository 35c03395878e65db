#include "ir/op_util/matmul.h"

namespace polaris {
namespace {

Shape leading(const Shape& shape) {
  return Shape(shape.dims().first(static_cast<std::size_t>(std::max(0, shape.rank() - 2))));
}

/// Strides of a matrix operand's batch dims, in elements, broadcast to `batch`.
Shape batch_strides(const Shape& shape, const Shape& batch) {
  const Shape own = row_major_strides(shape);
  const Shape dims = leading(shape);
  Shape out = Shape::filled(batch.rank(), 0);
  const int lead = batch.rank() - dims.rank();
  for (int i = 0; i < dims.rank(); ++i) out[lead + i] = dims[i] == 1 ? 0 : own[i];
  return out;
}

}  // namespace

std::optional<Shape> matmul_output(const Shape& a, const Shape& b) {
  if (a.rank() == 0 || b.rank() == 0) return std::nullopt;
  const std::int64_t ka = a.back();
  const std::int64_t kb = b.rank() == 1 ? b[0] : b[b.rank() - 2];
  if (ka != kb && is_static_dim(ka) && is_static_dim(kb)) return std::nullopt;
  auto out = broadcast_shapes(leading(a), leading(b));
  if (!out) return std::nullopt;
  if (a.rank() > 1) out->push_back(a[a.rank() - 2]);
  if (b.rank() > 1) out->push_back(b.back());
  return out;
}

MatMulGeometry matmul_geometry(const Shape& a, const Shape& b) {
  MatMulGeometry g;
  g.k = a.back();
  if (a.rank() > 1) g.m = a[a.rank() - 2];
  if (b.rank() > 1) g.n = b.back();
  if (const auto batch = broadcast_shapes(leading(a), leading(b))) g.batch = *batch;
  g.a_strides = batch_strides(a, g.batch);
  g.b_strides = batch_strides(b, g.batch);
  return g;
}

}  // namespace polaris
