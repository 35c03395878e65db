#include "media/image.h"

namespace polaris {

Result<Image> make_image(const std::string& format, std::int64_t width, std::int64_t height) {
  const std::string size = std::to_string(width) + " x " + std::to_string(height);
  if (width < 1 || height < 1 || width > kImageSideMax || height > kImageSideMax) {
    return Error::invalid("[" + format + "] picture, got " + size +
                          " pixels, wanted sides of 1 to " + std::to_string(kImageSideMax));
  }
  if (width * height > kImagePixelsMax) {
    return Error::invalid("[" + format + "] picture, got " + size + " pixels, wanted at most " +
                          std::to_string(kImagePixelsMax));
  }
  Image out{width, height, {}};
  out.rgb.resize(static_cast<std::size_t>(width * height * kImageChannels));
  return out;
}

}  // namespace polaris
