#include <bit>
#include <optional>
#include <string>

#include "media/decode_image.h"

namespace polaris {
namespace {

/// Where a channel's bits are in a pixel.
struct Field {
  std::uint32_t mask = 0;
  /// Widened to a byte as Pillow does: the largest value is 255.
  std::uint8_t of(std::uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t value = (pixel & mask) >> shift;
    return static_cast<std::uint8_t>(value * 255 / (mask >> shift));
  }
};

constexpr std::uint32_t kPlain = 0;      // BI_RGB
constexpr std::uint32_t kBitFields = 3;  // BI_BITFIELDS
constexpr std::uint32_t kAlphaBitFields = 6;
constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kHeaderMax = 124;

/// Windows and OS/2 bitmaps without compression.
class BmpReader {
 public:
  explicit BmpReader(std::span<const std::byte> file) : file_(file) {}

  Result<Image> read() {
    if (auto status = read_header(); !status) return status.error();
    auto image = make_image("bmp", width_, height_);
    if (!image) return image.error();
    const std::int64_t stride = (width_ * bits_ + 31) / 32 * 4;
    const std::int64_t last = (height_ - 1) * stride + (width_ * bits_ + 7) / 8;
    if (pixels_ > file_.size() || static_cast<std::int64_t>(file_.size() - pixels_) < last) {
      return Error::invalid("[bmp] pixels, got " + std::to_string(file_.size()) +
                            " bytes of file, wanted " + std::to_string(last) + " behind byte " +
                            std::to_string(pixels_));
    }
    std::uint8_t* to = image->rgb.data();
    for (std::int64_t y = 0; y < height_; ++y) {
      const std::int64_t row = top_down_ ? y : height_ - 1 - y;
      const std::size_t from = pixels_ + static_cast<std::size_t>(row * stride);
      for (std::int64_t x = 0; x < width_; ++x, to += kImageChannels) {
        if (!write_pixel(from, x, to)) return bad_index();
      }
    }
    return image;
  }

 private:
  std::uint32_t number(std::size_t at, int width) const {
    std::uint32_t out = 0;
    for (int i = width; i-- > 0;) {
      out = out << 8 | std::to_integer<std::uint32_t>(file_[at + static_cast<std::size_t>(i)]);
    }
    return out;
  }
  std::int64_t signed_number(std::size_t at) const {
    return static_cast<std::int32_t>(number(at, 4));
  }
  static Error bad_index() {
    return Error::invalid("[bmp] pixel, got a color that the palette does not have");
  }
  Status cut(const char* what) const {
    return Error::invalid("[bmp] " + std::string(what) + ", got " + std::to_string(file_.size()) +
                          " bytes of file, wanted more");
  }

  Status read_header() {
    if (file_.size() < kFileHeader + kCoreHeader) return cut("header");
    pixels_ = number(10, 4);
    const std::uint32_t header = number(14, 4);
    const bool core = header == kCoreHeader;
    if (!core && (header < kInfoHeader || header > kHeaderMax)) {
      return Error::unsupported("[bmp] header, got " + std::to_string(header) +
                                " bytes, wanted 12 or 40 to 124");
    }
    if (file_.size() < kFileHeader + header) return cut("header");
    width_ = core ? std::int64_t{number(18, 2)} : signed_number(18);
    height_ = core ? std::int64_t{number(20, 2)} : signed_number(22);
    top_down_ = height_ < 0;
    if (top_down_) height_ = -height_;
    bits_ = static_cast<int>(core ? number(24, 2) : number(28, 2));
    const std::uint32_t compression = core ? kPlain : number(30, 4);
    const bool fields = compression == kBitFields || compression == kAlphaBitFields;
    if (compression != kPlain && !fields) {
      return Error::unsupported("[bmp] compression, got " + std::to_string(compression) +
                                ", wanted none (0) or bit fields (3, 6)");
    }
    if (bits_ == 16 || bits_ == 32) return read_fields(fields);
    if (fields || (bits_ != 1 && bits_ != 4 && bits_ != 8 && bits_ != 24)) {
      return Error::unsupported("[bmp] pixels, got " + std::to_string(bits_) + " bits" +
                                (fields ? " of fields" : "") + ", wanted 1, 4, 8, 16, 24 or 32");
    }
    if (bits_ != 24) return read_palette(header, core ? 0 : number(46, 4));
    return Status::success();
  }
  Status read_fields(bool given) {
    static constexpr std::uint32_t kMasks[2][3] = {{0x7C00, 0x3E0, 0x1F}, {0xFF0000, 0xFF00, 0xFF}};
    constexpr std::size_t kMasksAt = kFileHeader + kInfoHeader;
    if (given && file_.size() < kMasksAt + 12) return cut("bit fields");
    for (std::size_t c = 0; c < 3; ++c) {
      field_[c].mask = given ? number(kMasksAt + c * 4, 4) : kMasks[bits_ == 32 ? 1 : 0][c];
      const std::uint32_t mask = field_[c].mask;
      if (mask != 0 && !std::has_single_bit((mask >> std::countr_zero(mask)) + std::uint64_t{1})) {
        return Error::invalid("[bmp] bit field, got bits with gaps, wanted them side by side");
      }
    }
    return Status::success();
  }
  Status read_palette(std::uint32_t header, std::uint32_t used) {
    const std::size_t most = std::size_t{1} << bits_;
    if (used > most) {
      return Error::invalid("[bmp] palette, got " + std::to_string(used) +
                            " colors, wanted at most " + std::to_string(most));
    }
    palette_ = kFileHeader + header;
    palette_entry_ = header == kCoreHeader ? 3 : 4;
    palette_size_ = used > 0 ? used : most;
    if (file_.size() < palette_ + palette_size_ * palette_entry_) return cut("palette");
    return Status::success();
  }

  /// Blue comes first in the file.
  void write_bgr(std::size_t at, std::uint8_t* to) const {
    for (std::size_t c = 0; c < 3; ++c) to[c] = std::to_integer<std::uint8_t>(file_[at + 2 - c]);
  }
  bool write_pixel(std::size_t row, std::int64_t x, std::uint8_t* to) const {
    if (bits_ == 24) {
      write_bgr(row + static_cast<std::size_t>(x) * 3, to);
    } else if (bits_ > 8) {
      const auto bytes = static_cast<std::size_t>(bits_ / 8);
      const std::uint32_t pixel = number(row + static_cast<std::size_t>(x) * bytes, bits_ / 8);
      for (std::size_t c = 0; c < 3; ++c) to[c] = field_[c].of(pixel);
    } else {
      const std::int64_t bit = x * bits_;
      const std::uint32_t byte = number(row + static_cast<std::size_t>(bit / 8), 1);
      const auto shift = static_cast<int>(8 - bits_ - bit % 8);
      const std::uint32_t index = (byte >> shift) & ((1u << bits_) - 1);
      if (index >= palette_size_) return false;
      write_bgr(palette_ + index * palette_entry_, to);
    }
    return true;
  }

  std::span<const std::byte> file_;
  std::size_t pixels_ = 0;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  bool top_down_ = false;
  int bits_ = 0;
  Field field_[3];
  std::size_t palette_ = 0;
  std::size_t palette_entry_ = 0;
  std::size_t palette_size_ = 0;
};

}  // namespace

Result<Image> decode_bmp(std::span<const std::byte> file) { return BmpReader(file).read(); }

}  // namespace polaris
