#pragma once
#include "base/result.h"
#include "ir/constant.h"
#include "tensor/tensor.h"

/// Rearranging weights on the host. Each gives fresh bytes under the weight's name and returns the
/// pages of a mapped source to the system.
namespace polaris {

/// [a, b] -> [b, a] of a plain or affine weight of rank 2. Errors: unsupported (block encodings),
/// out_of_memory.
Result<Constant> transpose_weight(const Constant& weight);
/// Rows [from, to) of dim 0, plain, affine or block encoded, rank 1 or more; a view of the source.
/// Nothing where an affine weight's parameters do not split along.
Result<Constant> slice_weight(const Constant& weight, std::int64_t from, std::int64_t to);

}  // namespace polaris
