#pragma once
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "ir/decompose.h"

/// Short forms of the plain nodes that decompositions are made of.
namespace polaris {

ValueId int64_constant(DecomposeContext& d, std::vector<std::int64_t> values);
/// A scalar of a dtype.
ValueId scalar_constant(DecomposeContext& d, DType dtype, double value);
ValueId cast_to(DecomposeContext& d, ValueId x, DType dtype);
ValueId reshape_to(DecomposeContext& d, ValueId x, std::vector<std::int64_t> shape);
ValueId transpose_by(DecomposeContext& d, ValueId x, std::vector<std::int64_t> perm);
ValueId unsqueeze_at(DecomposeContext& d, ValueId x, std::vector<std::int64_t> axes);
/// Dim `axis` of x as an int64 scalar.
ValueId dim_of(DecomposeContext& d, ValueId x, std::int64_t axis);

}  // namespace polaris
