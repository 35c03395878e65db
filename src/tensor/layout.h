#pragma once
#include <cstdint>
#include <string_view>

namespace polaris {

/// Physical order of a value's elements in memory; the logical shape stays ONNX's (N, C, spatial).
enum class Layout : std::uint8_t {
  kRowMajor,         // as the logical shape
  kChannelsLast,     // N, spatial, C
  kChannelsBlocked,  // N, C / 8, spatial, 8
};
inline std::string_view layout_name(Layout layout) {
  switch (layout) {
    case Layout::kRowMajor: return "row_major";
    case Layout::kChannelsLast: return "channels_last";
    case Layout::kChannelsBlocked: return "channels_blocked";
  }
  return "row_major";
}

}  // namespace polaris
