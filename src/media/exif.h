#pragma once
#include <cstddef>
#include <span>

#include "media/image.h"

namespace polaris {

/// How the camera was held, 1 to 8 as EXIF counts (6: a quarter turn to the right makes it
/// upright); 1 where a JPEG file does not say, or not readably.
int exif_orientation(std::span<const std::byte> jpeg);

/// The picture turned and mirrored so that it is upright.
Image oriented(Image image, int orientation);

}  // namespace polaris
