// covers: src/media
#include <cstdint>
#include <cstdlib>

#include "media/decode_image.h"
#include "media/resize_image.h"
#include "media/sound.h"
#include "support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = polaris::test::fuzz_bytes(data, size);
  if (polaris::is_sound(bytes)) {
    const auto sound = polaris::decode_sound(bytes);
    if (sound && sound->rate_hz < 1) std::abort();
    return 0;
  }
  const auto image = polaris::decode_image(bytes);
  if (!image) return 0;
  const auto sides = image->width * image->height * polaris::kImageChannels;
  if (static_cast<std::int64_t>(image->rgb.size()) != sides) std::abort();
  const auto small = polaris::resize_image(*image, 3, 2, polaris::ResizeFilter::kBilinear);
  if (!small || small->rgb.size() != 18) std::abort();
  return 0;
}
