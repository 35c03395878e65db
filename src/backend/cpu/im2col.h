#pragma once
#include <cstdint>

#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// The columns [first, first + count) of one group's im2col matrix [channel * kernel][position],
/// written as one panel of 16 columns, [k][16] (pairs: [k / 2][16][2]); taps outside the input and
/// columns past `count` hold `pad`. `plane` is the group's first channel.
void im2col_panel(const ConvGeometry& g, const float* plane, std::int64_t first, std::int64_t count,
                  float* panel);
/// As int16, each element less `zero`; pads are 0. T is int8 or uint8. k is rounded up to even.
template <class T>
void im2col_pairs(const ConvGeometry& g, const T* plane, std::int32_t zero, std::int64_t first,
                  std::int64_t count, std::int16_t* panel);

}  // namespace polaris::cpu
