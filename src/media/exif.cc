#include "media/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace polaris {
namespace {

using Bytes = std::span<const std::byte>;

/// A number of `width` bytes, or nothing where they are not there.
std::optional<std::uint32_t> number(Bytes bytes, std::size_t at, int width, bool little) {
  if (at > bytes.size() || bytes.size() - at < static_cast<std::size_t>(width)) return std::nullopt;
  std::uint32_t out = 0;
  for (int i = 0; i < width; ++i) {
    const int from = little ? width - 1 - i : i;
    out = out << 8 | std::to_integer<std::uint32_t>(bytes[at + static_cast<std::size_t>(from)]);
  }
  return out;
}

/// From a TIFF header with its first directory.
int tiff_orientation(Bytes tiff) {
  constexpr std::uint32_t kTag = 0x0112;
  constexpr std::size_t kEntryBytes = 12;
  const auto order = number(tiff, 0, 2, false);
  if (order != 0x4949u && order != 0x4D4Du) return 1;
  const bool little = order == 0x4949u;
  const auto directory = number(tiff, 4, 4, little);
  if (number(tiff, 2, 2, little) != 42u || !directory) return 1;
  const auto count = number(tiff, *directory, 2, little);
  if (!count) return 1;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t at = *directory + 2 + i * kEntryBytes;
    const auto tag = number(tiff, at, 2, little);
    if (!tag) return 1;
    if (*tag != kTag) continue;
    const auto value = number(tiff, at + 8, 2, little);
    const bool is_short = number(tiff, at + 2, 2, little) == 3u;
    return value && is_short && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(Bytes jpeg) {
  constexpr std::uint32_t kApp1 = 0xFFE1;
  constexpr std::uint32_t kScan = 0xFFDA;
  std::size_t at = 2;  // behind the file's own marker
  while (true) {
    const auto marker = number(jpeg, at, 2, false);
    const auto length = number(jpeg, at + 2, 2, false);
    if (!marker || !length || *length < 2 || *marker < 0xFF01 || *marker == kScan) return 1;
    if (*length > jpeg.size() - at - 2) return 1;
    const Bytes body = jpeg.subspan(at + 4, *length - 2);
    if (*marker == kApp1 && body.size() > 6 && number(body, 0, 4, false) == 0x45786966u &&
        number(body, 4, 2, false) == 0u) {
      return tiff_orientation(body.subspan(6));
    }
    at += 2 + *length;
  }
}

Image oriented(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  // Of the upright picture: whether its rows are the file's columns, and what runs backwards.
  const bool turned = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out{turned ? image.height : image.width, turned ? image.width : image.height, {}};
  out.rgb.resize(image.rgb.size());
  std::uint8_t* to = out.rgb.data();
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x, to += kImageChannels) {
      std::int64_t from_x = turned ? y : x;
      std::int64_t from_y = turned ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      const std::uint8_t* from =
          image.rgb.data() + (from_y * image.width + from_x) * kImageChannels;
      std::copy_n(from, kImageChannels, to);
    }
  }
  return out;
}

}  // namespace polaris
