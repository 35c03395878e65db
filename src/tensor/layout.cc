#include "tensor/layout.h"

namespace polaris {

AxisOrder layout_order(Layout layout, int rank) {
  AxisOrder order{};
  for (int i = 0; i < rank; ++i) order[static_cast<std::size_t>(i)] = i;
  if (layout == Layout::kRowMajor || rank < 3) return order;
  for (int i = 1; i + 1 < rank; ++i) order[static_cast<std::size_t>(i)] = i + 1;
  order[static_cast<std::size_t>(rank - 1)] = 1;
  return order;
}

Shape physical_shape(const Shape& shape, Layout layout) {
  const AxisOrder order = layout_order(layout, shape.rank());
  Shape out = shape;
  for (int i = 0; i < shape.rank(); ++i) out[i] = shape[order[static_cast<std::size_t>(i)]];
  return out;
}

AxisOrder canonical_order(const AxisOrder& order, const Shape& shape) {
  AxisOrder out{};
  std::size_t used = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    if (shape[axis] != 1) out[used++] = axis;
  }
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) out[used++] = axis;
  }
  return out;
}

bool same_order(const Shape& shape, Layout a, Layout b) {
  if (a == b) return true;
  const int rank = shape.rank();
  return canonical_order(layout_order(a, rank), shape) ==
         canonical_order(layout_order(b, rank), shape);
}

}  // namespace polaris
