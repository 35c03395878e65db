#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "ir/constant.h"

namespace polaris::cpu {

/// Elements [from, from + count) of a constant's row-major elements, decoded to float32. Plain of
/// any dtype, block (from and count multiples of the block) and affine.
void decode_constant(const Constant& constant, std::int64_t from, std::int64_t count, float* out);

/// What packs a constant of `count` elements: `pack` gets all of them decoded, and room for floats.
template <typename Pack>
auto packing_of_floats(std::int64_t count, Pack pack) {
  return [count, pack](const Constant& weight, std::span<std::byte> out) {
    std::vector<float> plain(static_cast<std::size_t>(count));
    decode_constant(weight, 0, count, plain.data());
    pack(plain.data(), reinterpret_cast<float*>(out.data()));
    return Status::success();
  };
}

}  // namespace polaris::cpu
