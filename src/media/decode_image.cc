#include "media/decode_image.h"

#include <algorithm>
#include <string>

#include "media/exif.h"

namespace polaris {
namespace {

using Bytes = std::span<const std::byte>;

bool starts(Bytes file, std::string_view magic, std::size_t at = 0) {
  if (file.size() < at + magic.size()) return false;
  return std::equal(
      magic.begin(), magic.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
      [](char c, std::byte b) { return std::byte(static_cast<unsigned char>(c)) == b; });
}

/// Of a file that is no picture we read, for the message.
std::string found(Bytes file) {
  if (file.empty()) return "an empty file";
  if (starts(file, "GIF8")) return "a GIF";
  if (starts(file, "RIFF") && starts(file, "WEBP", 8)) return "a WebP";
  if (starts(file, "II*") || starts(file, "MM")) return "a TIFF";
  if (starts(file, "ftyp", 4)) return "a HEIF, AVIF or video file";
  if (starts(file, "\x0cjP  ", 3)) return "a JPEG 2000";
  if (starts(file, "P") && file.size() > 1 && std::to_integer<int>(file[1]) >= '1' &&
      std::to_integer<int>(file[1]) <= '7') {
    return "a PNM of another kind than P5 and P6";
  }
  return "something else";
}

}  // namespace

ImageFormat image_format_of(Bytes file) {
  if (starts(file, "\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (starts(file, "\xff\xd8\xff")) return ImageFormat::kJpeg;
  if (starts(file, "BM")) return ImageFormat::kBmp;
  if (starts(file, "P5") || starts(file, "P6")) return ImageFormat::kPnm;
  return ImageFormat::kUnknown;
}

Result<Image> decode_image(Bytes file) {
  switch (image_format_of(file)) {
    case ImageFormat::kPng: return decode_png(file);
    case ImageFormat::kJpeg: {
      auto image = decode_jpeg(file);
      if (!image) return image.error();
      return oriented(image.take(), exif_orientation(file));
    }
    case ImageFormat::kBmp: return decode_bmp(file);
    case ImageFormat::kPnm: return decode_pnm(file);
    case ImageFormat::kUnknown: break;
  }
  return Error::unsupported("[image] file, got " + found(file) + ", wanted PNG, JPEG, BMP or PNM");
}

}  // namespace polaris
