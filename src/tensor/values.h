#pragma once
#include <optional>
#include <vector>

#include "tensor/tensor.h"

/// Values that are no tensors, made with what they promise checked.
namespace polaris {

/// A sequence of tensors of the dtype of `element`, whose shape is that of a sequence without any.
/// Errors: invalid on an item that is no plain tensor of that dtype, exhausted on more than
/// kSequenceItemsMax.
Result<Tensor> make_sequence(const TensorType& element, std::vector<Tensor> items);

/// An optional of a tensor or a sequence; `type` is that of what may be in it. Errors: invalid
/// where the value is of another dtype or kind.
Result<Tensor> make_optional(const TensorType& type, std::optional<Tensor> value);

/// The shape that covers both: equal dims stay, others are unknown, as many as a shape can have
/// where the ranks differ.
Shape join_shapes(const Shape& a, const Shape& b);

/// The tensors in a value: itself, or those of its items.
std::vector<Tensor> tensors_of(const Tensor& value);

}  // namespace polaris
