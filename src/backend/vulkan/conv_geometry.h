#pragma once
#include <array>
#include <cstdint>

#include "backend/vulkan/kernel_util.h"

namespace polaris::vulkan {

/// A sliding window over one or two spatial dims; one dim is a height of 1.
struct Window {
  std::int64_t batch = 0, in_channels = 0, in_h = 1, in_w = 1;
  std::int64_t out_channels = 0, out_h = 1, out_w = 1;
  std::array<std::int64_t, 2> kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::array<std::int64_t, 2> pad = {0, 0};      // before
  std::array<std::int64_t, 2> pad_end = {0, 0};  // after
};

/// Window of a convolution or pooling node with input 0 and output 0; `kernel` is its spatial
/// kernel. Errors: unsupported where there are not one or two spatial dims.
Result<Window> read_window(const NodeDesc& node, std::span<const std::int64_t> kernel);

}  // namespace polaris::vulkan
