#pragma once
#include <cstdint>

#include "backend/vulkan/parts/kernel_util.h"

namespace polaris::vulkan {

/// A matrix product of row-major operands [.., m, k] and [.., k, n] whose batch dims broadcast,
/// merged to at most three with strides in elements, outermost first.
struct BatchedProduct {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t batch[3] = {1, 1, 1};
  std::int64_t a_batch[3] = {};
  std::int64_t b_batch[3] = {};

  std::int64_t batches() const { return batch[0] * batch[1] * batch[2]; }
};

/// NumPy's matmul of shapes a and b. Errors: unsupported where the batch dims do not merge.
Result<BatchedProduct> read_product(const NodeDesc& node, const Shape& a, const Shape& b);

}  // namespace polaris::vulkan
