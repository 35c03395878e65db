#include <optional>
#include <string>

#include "base/bytes.h"
#include "media/decode_image.h"

namespace polaris {
namespace {

/// The header of a portable greymap or pixmap: numbers in ASCII, with comments between them.
class PnmHeader {
 public:
  explicit PnmHeader(std::span<const std::byte> file) : file_(file) {}

  /// Up to 9 digits, with the one character behind them.
  std::optional<std::int64_t> number() {
    while (is_space(at()) || at() == '#') {
      if (at() == '#') {
        while (at() != '\n' && at() != '\0') ++next_;
      } else {
        ++next_;
      }
    }
    std::int64_t out = 0;
    int digits = 0;
    for (; at() >= '0' && at() <= '9' && digits < 10; ++digits, ++next_) {
      out = out * 10 + (at() - '0');
    }
    if (digits < 1 || digits > 9 || !is_space(at())) return std::nullopt;
    ++next_;
    return out;
  }
  std::span<const std::byte> rest() const { return file_.subspan(next_); }

 private:
  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  /// NUL at the end of the file.
  char at() const { return next_ < file_.size() ? static_cast<char>(file_[next_]) : '\0'; }

  std::span<const std::byte> file_;
  std::size_t next_ = 2;  // behind "P5" or "P6"
};

}  // namespace

Result<Image> decode_pnm(std::span<const std::byte> file) {
  PnmHeader header(file);
  const auto width = header.number();
  const auto height = header.number();
  const auto largest = header.number();
  if (!width || !height || !largest) {
    return Error::invalid("[pnm] header, wanted width, height and the largest value");
  }
  if (*largest != 255) {
    return Error::unsupported("[pnm] largest value, got " + std::to_string(*largest) +
                              ", wanted 255");
  }
  auto image = make_image("pnm", *width, *height);
  if (!image) return image.error();
  const std::int64_t channels = file[1] == std::byte{'5'} ? 1 : kImageChannels;
  const auto pixels = header.rest();
  const auto wanted = static_cast<std::size_t>(*width * *height * channels);
  if (pixels.size() < wanted) {
    return Error::invalid("[pnm] pixels, got " + std::to_string(pixels.size()) + " bytes, wanted " +
                          std::to_string(wanted));
  }
  if (channels == kImageChannels) {
    copy_bytes(image->rgb.data(), pixels.data(), wanted);
    return image;
  }
  for (std::size_t i = 0; i < image->rgb.size(); ++i) {
    image->rgb[i] = std::to_integer<std::uint8_t>(pixels[i / kImageChannels]);
  }
  return image;
}

}  // namespace polaris
