#pragma once
#include <optional>

#include "polaris/polaris_c.h"
#include "tensor/tensor.h"

namespace polaris {

/// The C form of a type; dims that are not static become -1.
polaris_type to_c_type(const TensorType& type);
/// Nothing where dtype, rank or a dim (below -1) is malformed; -1 becomes kUnknownDim.
std::optional<TensorType> from_c_type(const polaris_type& type);

}  // namespace polaris
