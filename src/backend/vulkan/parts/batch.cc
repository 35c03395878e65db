#include "backend/vulkan/parts/batch.h"

#include <algorithm>

namespace polaris::vulkan {
namespace {

/// One batch dim: its size and the strides of a and b, 0 where they broadcast.
struct BatchDim {
  std::int64_t size, a, b;
};

/// Outermost first, neighbours merged where one stride walks through both.
std::vector<BatchDim> batch_dims(const Shape& a, const Shape& b) {
  std::vector<BatchDim> dims;
  std::int64_t a_stride = a.elements_between(std::max(0, a.rank() - 2), a.rank());
  std::int64_t b_stride = b.elements_between(std::max(0, b.rank() - 2), b.rank());
  const int batch_rank = std::max({a.rank() - 2, b.rank() - 2, 0});
  for (int i = 0; i < batch_rank; ++i) {  // from the innermost batch dim out
    const int at_a = a.rank() - 3 - i;
    const int at_b = b.rank() - 3 - i;
    const std::int64_t size_a = at_a >= 0 ? a[at_a] : 1;
    const std::int64_t size_b = at_b >= 0 ? b[at_b] : 1;
    BatchDim dim{std::max(size_a, size_b), size_a == 1 ? 0 : a_stride, size_b == 1 ? 0 : b_stride};
    if (size_a == 0 || size_b == 0) dim.size = 0;
    a_stride *= size_a;
    b_stride *= size_b;
    if (dim.size == 1) continue;
    if (!dims.empty() && dim.a == dims.front().a * dims.front().size &&
        dim.b == dims.front().b * dims.front().size) {
      dims.front().size *= dim.size;
    } else {
      dims.insert(dims.begin(), dim);
    }
  }
  return dims;
}

}  // namespace

Result<BatchedProduct> read_product(const NodeDesc& node, const Shape& a, const Shape& b) {
  BatchedProduct p;
  p.k = a.back();
  p.m = a.rank() == 1 ? 1 : a[a.rank() - 2];
  p.n = b.rank() == 1 ? 1 : b.back();
  const std::vector<BatchDim> dims = batch_dims(a, b);
  if (dims.size() > 3) return refuse(node, "batch dims that broadcast in more than three ways");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::size_t at = i + 3 - dims.size();
    p.batch[at] = dims[i].size;
    p.a_batch[at] = dims[i].a;
    p.b_batch[at] = dims[i].b;
  }
  // One matrix b for all rows of a: the batches are rows.
  if (dims.size() == 1 && p.b_batch[2] == 0 && p.a_batch[2] == p.m * p.k) {
    p.m *= p.batch[2];
    p.batch[2] = 1;
  }
  return p;
}

}  // namespace polaris::vulkan
