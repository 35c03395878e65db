#pragma once
#include <cstdint>

namespace polaris::block {

/// What the nibbles of iq4_nl and iq4_xs stand for, and those of mxfp4 and nvfp4 (float4_e2m1fn,
/// doubled).
inline constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr std::int8_t kFp4Values[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                               0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace polaris::block
