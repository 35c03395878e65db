#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/op_util/elements.h"
#include "tensor/shape.h"

/// Shapes of NumPy's matmul, shared by the ops of the family and their kernels.
namespace polaris {

/// Shape of a @ b (dims may be symbolic), or nothing where they do not fit.
std::optional<Shape> matmul_output(const Shape& a, const Shape& b);

/// A static matmul as batches of [m, k] @ [k, n]; the batch dims of a and b broadcast to `batch`.
struct MatMulGeometry {
  std::int64_t m = 1;
  std::int64_t k = 1;
  std::int64_t n = 1;
  Shape batch;
  Shape a_strides;  // in elements, one per dim of batch, 0 where broadcast
  Shape b_strides;
};
MatMulGeometry matmul_geometry(const Shape& a, const Shape& b);

/// Calls store(output index, row in m, column in n, sum over k) for every output element, k
/// ascending.
template <class T, class Store>
void matmul_each(const MatMulGeometry& g, const std::vector<T>& a, const std::vector<T>& b,
                 Store store) {
  Walk walk(g.batch);
  const int at_a = walk.add(g.a_strides);
  const int at_b = walk.add(g.b_strides);
  std::vector<T> row(static_cast<std::size_t>(g.n));
  std::int64_t index = 0;
  for (std::int64_t i = 0, count = walk.size(); i < count; ++i, walk.next()) {
    for (std::int64_t m = 0; m < g.m; ++m) {
      row.assign(row.size(), T{0});
      for (std::int64_t k = 0; k < g.k; ++k) {
        const T x = a[static_cast<std::size_t>(walk[at_a] + m * g.k + k)];
        const T* y = b.data() + walk[at_b] + k * g.n;
        for (std::size_t n = 0; n < row.size(); ++n) row[n] += x * y[n];
      }
      for (std::int64_t n = 0; n < g.n; ++n) store(index++, m, n, row[static_cast<std::size_t>(n)]);
    }
  }
}

}  // namespace polaris
