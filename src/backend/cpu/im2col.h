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

/// The rows [first, first + count) of one group's im2col matrix [position][kernel * channel] of a
/// channels-last image [position][groups * group_in]; taps outside the input hold `pad`. T is
/// float or a byte.
template <class T>
void im2col_rows(const ConvGeometry& g, const T* image, std::int64_t group, std::int64_t first,
                 std::int64_t count, T pad, T* rows);
/// The kernel is one element that moves by one: the im2col matrix is the image.
bool reads_image(const ConvGeometry& g);

}  // namespace polaris::cpu
