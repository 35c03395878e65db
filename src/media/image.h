#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace polaris {

/// A picture: three bytes a pixel, red first, row after row from the top.
struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgb;
};

inline constexpr std::int64_t kImageChannels = 3;
/// The grey of a pixel of three bytes: 0.299 red + 0.587 green + 0.114 blue, as Pillow rounds it.
inline std::uint8_t grey_of(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >>
                                   16);
}

/// What a picture may have, whatever its file says.
inline constexpr std::int64_t kImageSideMax = 65535;
inline constexpr std::int64_t kImagePixelsMax = std::int64_t{1} << 27;

/// A black picture. Errors: invalid where a side is none or the picture is too large; `format`
/// names who asks. Nothing is allocated then.
Result<Image> make_image(const std::string& format, std::int64_t width, std::int64_t height);

}  // namespace polaris
