#pragma once
#include <cstdint>

#include "base/result.h"
#include "ir/constant.h"

namespace polaris::cpu {

/// Elements [from, from + count) of a constant's row-major elements, decoded to float32. Plain of
/// any dtype, block (from and count multiples of the block) and affine.
void decode_constant(const Constant& constant, std::int64_t from, std::int64_t count, float* out);

}  // namespace polaris::cpu
