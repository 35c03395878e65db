#pragma once
#include <optional>
#include <string_view>

#include "media/image.h"

namespace polaris {

/// What a pixel is computed from when a picture changes its size. All but kNearest widen with the
/// scale where the picture shrinks, so that nothing is left out.
enum class ResizeFilter : std::uint8_t { kNearest, kBox, kBilinear, kBicubic, kLanczos };
/// "nearest", "box", "bilinear", "bicubic", "lanczos"
std::string_view resize_filter_name(ResizeFilter filter);
std::optional<ResizeFilter> resize_filter_from_name(std::string_view name);

/// The picture at another size, bit for bit as Pillow's Image.resize gives it. Errors: as
/// make_image.
Result<Image> resize_image(const Image& image, std::int64_t width, std::int64_t height,
                           ResizeFilter filter);

}  // namespace polaris
