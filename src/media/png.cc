#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <string>

#include "base/bytes.h"
#include "media/decode_image.h"

namespace polaris {
namespace {

/// libpng reports errors by a jump. It passes frames of libpng and of the functions here that have
/// no destructors to run, and lands in the member that called libpng: those hold nothing of their
/// own, and whatever is owned is owned by their caller.
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> file) : at_(file.data()), left_(file.size()) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Up to the first pixels. False: error().
  bool read_header() {
    if (setjmp(escape_) != 0) return false;  // tidy: allow bans: see the class
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ == nullptr) return fail("out of memory");
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return fail("out of memory");
    png_set_read_fn(png_, this, read);
    png_set_user_limits(png_, static_cast<png_uint_32>(kImageSideMax),
                        static_cast<png_uint_32>(kImageSideMax));
    png_set_chunk_malloc_max(png_, kChunkBytesMax);
    // Profiles and texts are not looked at, so nothing inflates them.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }
  /// Into rows of three bytes a pixel. False: error().
  bool read_pixels(std::uint8_t* rgb) {
    if (setjmp(escape_) != 0) return false;  // tidy: allow bans: see the class
    png_set_strip_16(png_);
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != static_cast<std::size_t>(width() * kImageChannels)) {
      return fail("rows of another width than their pixels have");
    }
    for (; passes_ > 0; --passes_) {
      for (row_ = 0; row_ < height(); ++row_) {
        png_read_row(png_, rgb + row_ * width() * kImageChannels, nullptr);
      }
    }
    png_read_end(png_, nullptr);
    return true;
  }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  Error error() const { return Error::invalid("[png] " + std::string(message_)); }

 private:
  static constexpr png_alloc_size_t kChunkBytesMax = 8 << 20;

  bool fail(const char* message) {
    std::snprintf(message_, sizeof message_, "%s", message);
    return false;
  }
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    reader->fail(message);
    std::longjmp(reader->escape_, 1);  // tidy: allow bans: see the class
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void read(png_structp png, png_bytep to, std::size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->left_) png_error(png, "file, got its end, wanted more");
    copy_bytes(to, reader->at_, count);
    reader->at_ += count;
    reader->left_ -= count;
  }

  const std::byte* at_;
  std::size_t left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 0;
  std::int64_t row_ = 0;
  char message_[192] = "malformed";
  std::jmp_buf escape_;
};

}  // namespace

Result<Image> decode_png(std::span<const std::byte> file) {
  PngReader reader(file);
  if (!reader.read_header()) return reader.error();
  auto image = make_image("png", reader.width(), reader.height());
  if (!image) return image.error();
  if (!reader.read_pixels(image->rgb.data())) return reader.error();
  return image;
}

}  // namespace polaris
