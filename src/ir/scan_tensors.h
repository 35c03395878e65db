#pragma once
#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace polaris {

/// Slice `index` of a plain tensor along `axis`, without that dim.
Result<Tensor> slice_tensor(const Tensor& whole, int axis, std::int64_t index);
/// Tensors of type `part` side by side along a new dim `axis`. Errors: invalid where the whole has
/// no size.
Result<Tensor> stack_tensors(std::span<const Tensor> parts, const TensorType& part, int axis);

}  // namespace polaris
