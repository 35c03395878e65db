#pragma once
#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace polaris {

/// Slice `index` of a plain tensor along `axis`, without that dim.
Result<Tensor> slice_tensor(const Tensor& whole, int axis, std::int64_t index);
/// Slices [from, from + count) of a plain tensor along `axis`; they are there.
Result<Tensor> cut_tensor(const Tensor& whole, int axis, std::int64_t from, std::int64_t count);
/// Tensors of type `part` side by side along a new dim `axis`. Errors: invalid where the whole has
/// no size.
Result<Tensor> stack_tensors(std::span<const Tensor> parts, const TensorType& part, int axis);

/// Tensors one after another along `axis`, as a whole of `type`, which has their sizes. Errors as
/// stack_tensors.
Result<Tensor> join_tensors(std::span<const Tensor> parts, const TensorType& type, int axis);

}  // namespace polaris
