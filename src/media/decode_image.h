#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "media/image.h"

namespace polaris {

enum class ImageFormat : std::uint8_t { kUnknown, kPng, kJpeg, kBmp, kPnm };

/// By the first bytes, whatever a file is called.
ImageFormat image_format_of(std::span<const std::byte> file);

/// A PNG, JPEG, BMP or binary PNM (P5, P6) file as it is meant to be seen. Grey becomes equal red,
/// green and blue; transparency is left out; of 16 bits the high ones are kept; CMYK is converted
/// as Pillow does; what a JPEG's EXIF says of its orientation is done. Errors: unsupported (another
/// format, named where it is known), invalid (malformed, cut, too large).
Result<Image> decode_image(std::span<const std::byte> file);

// The formats one by one, as the codecs have the pixels: EXIF is not looked at.
Result<Image> decode_png(std::span<const std::byte> file);
Result<Image> decode_jpeg(std::span<const std::byte> file);
Result<Image> decode_bmp(std::span<const std::byte> file);
Result<Image> decode_pnm(std::span<const std::byte> file);

}  // namespace polaris
