#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>  // needs the two above

#include "media/decode_image.h"

namespace polaris {
namespace {

/// Progressive files repeat the picture; each scan costs time however short it is.
constexpr int kScansMax = 128;
/// What libjpeg may hold at once: the coefficients of a progressive file.
constexpr long kBytesMax = 1L << 30;

/// libjpeg reports errors by a jump. It passes frames of libjpeg and of the functions here that
/// have no destructors to run, and lands in the member that called libjpeg: those hold nothing of
/// their own, and whatever is owned is owned by their caller.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::byte> file) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
    source_.bytes_in_buffer = file.size();
    source_.init_source = nothing;
    source_.fill_input_buffer = at_end;
    source_.skip_input_data = skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = nothing;
    progress_.progress_monitor = on_progress;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// Up to the first pixels. False: error().
  bool read_header() {
    if (setjmp(escape_) != 0) return false;  // tidy: allow bans: see the class
    jpeg_create_decompress(&info_);
    info_.src = &source_;
    info_.progress = &progress_;
    info_.mem->max_memory_to_use = kBytesMax;
    jpeg_read_header(&info_, TRUE);
    switch (info_.jpeg_color_space) {
      case JCS_GRAYSCALE:
      case JCS_RGB:
      case JCS_YCbCr: info_.out_color_space = JCS_RGB; return true;
      case JCS_CMYK:
      case JCS_YCCK: info_.out_color_space = JCS_CMYK; return true;
      default: break;
    }
    std::snprintf(message_, sizeof message_, "picture of %d channels, wanted 1, 3 or 4",
                  info_.num_components);
    return false;
  }
  /// Into rows of three bytes a pixel. `row` has four bytes a pixel, for CMYK. False: error().
  bool read_pixels(std::uint8_t* rgb, std::uint8_t* row) {
    if (setjmp(escape_) != 0) return false;  // tidy: allow bans: see the class
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      to_ = rgb + std::int64_t{info_.output_scanline} * width() * kImageChannels;
      JSAMPROW rows[] = {is_cmyk() ? row : to_};
      if (jpeg_read_scanlines(&info_, rows, 1) == 1 && is_cmyk()) from_cmyk(row);
    }
    return true;
  }

  bool is_cmyk() const { return info_.out_color_space == JCS_CMYK; }
  std::int64_t width() const { return info_.image_width; }
  std::int64_t height() const { return info_.image_height; }
  Error error() const { return Error::invalid("[jpeg] " + std::string(message_)); }

 private:
  static JpegReader& reader_of(j_common_ptr info) {
    return *static_cast<JpegReader*>(info->client_data);
  }
  [[noreturn]] static void on_error(j_common_ptr info) {
    JpegReader& reader = reader_of(info);
    info->err->format_message(info, reader.message_);
    std::longjmp(reader.escape_, 1);  // tidy: allow bans: see the class
  }
  [[noreturn]] static void fail(j_common_ptr info, const char* message) {
    JpegReader& reader = reader_of(info);
    std::snprintf(reader.message_, sizeof reader.message_, "%s", message);
    std::longjmp(reader.escape_, 1);  // tidy: allow bans: see the class
  }
  /// Warnings: what is decoded is what other programs show.
  static void on_message(j_common_ptr, int) {}
  static void on_progress(j_common_ptr info) {
    if (reader_of(info).info_.input_scan_number > kScansMax) fail(info, "file of too many scans");
  }
  static void nothing(j_decompress_ptr) {}
  static boolean at_end(j_decompress_ptr info) {
    fail(reinterpret_cast<j_common_ptr>(info), "file, got its end, wanted more");
  }
  static void skip(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    const std::size_t left = info->src->bytes_in_buffer;
    const std::size_t step =
        static_cast<std::size_t>(count) < left ? static_cast<std::size_t>(count) : left;
    info->src->next_input_byte += step;
    info->src->bytes_in_buffer -= step;
  }
  /// Files hold what ink leaves of the light, as Adobe's programs write it.
  void from_cmyk(const std::uint8_t* row) {
    for (std::int64_t x = 0; x < width(); ++x, row += 4) {
      for (int c = 0; c < kImageChannels; ++c) {
        const int product = (255 - row[c]) * row[3] + 128;
        const int ink = (product + (product >> 8)) >> 8;  // of 255, rounded
        *to_++ = static_cast<std::uint8_t>(row[3] > ink ? row[3] - ink : 0);
      }
    }
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::uint8_t* to_ = nullptr;
  char message_[JMSG_LENGTH_MAX] = "malformed";
  std::jmp_buf escape_;
};

}  // namespace

Result<Image> decode_jpeg(std::span<const std::byte> file) {
  JpegReader reader(file);
  if (!reader.read_header()) return reader.error();
  auto image = make_image("jpeg", reader.width(), reader.height());
  if (!image) return image.error();
  std::vector<std::uint8_t> row;
  if (reader.is_cmyk()) row.resize(static_cast<std::size_t>(reader.width() * 4));
  if (!reader.read_pixels(image->rgb.data(), row.data())) return reader.error();
  return image;
}

}  // namespace polaris
