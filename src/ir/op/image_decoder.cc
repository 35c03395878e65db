#include <string>
#include <utility>
#include <vector>

#include "ir/op_util/infer.h"
#include "media/decode_image.h"

namespace polaris {
namespace {

struct ImageDecoderAttrs final : AttrsOf<ImageDecoderAttrs> {
  std::string pixel_format = "RGB";

  void visit(AttrVisitor& v) override { v.field("pixel_format", pixel_format); }
};

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, dtype_bit(DType::kU8)), check_rank(c, 0, 1, 1)); !s)
    return s;
  const std::string& format = c.as<ImageDecoderAttrs>().pixel_format;
  if (format != "RGB" && format != "BGR" && format != "Grayscale") {
    return c.fail("pixel_format, got '" + format + "', wanted RGB, BGR or Grayscale");
  }
  set_output(c, 0, DType::kU8,
             Shape{kUnknownDim, kUnknownDim, format == "Grayscale" ? 1 : kImageChannels});
  return Status::success();
}

Status host(HostContext& c) {
  const std::string& format = c.as<ImageDecoderAttrs>().pixel_format;
  auto image = decode_image(c.in(0).bytes());
  // As ONNX has it; a format that we lack is another matter.
  if (!image && image.error().code() == ErrorCode::kInvalid) image = Image{};
  if (!image) return Error(image.error().code(), c.fail(image.error().message()).message());
  std::vector<std::uint8_t>& rgb = image->rgb;
  const std::int64_t channels = format == "Grayscale" ? 1 : kImageChannels;
  const std::size_t pixels = rgb.size() / kImageChannels;
  for (std::size_t p = 0; p < pixels; ++p) {
    std::uint8_t* pixel = rgb.data() + p * kImageChannels;
    if (format == "BGR") std::swap(pixel[0], pixel[2]);
    if (channels == 1) rgb[p] = grey_of(pixel);
  }
  rgb.resize(pixels * static_cast<std::size_t>(channels));
  if (std::cmp_greater(rgb.size(), c.bytes_max)) {
    return Error::exhausted(c.fail("picture has too many pixels").message());
  }
  auto out =
      Tensor::from<std::uint8_t>(DType::kU8, Shape{image->height, image->width, channels}, rgb);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"encoded_stream"}};
constexpr Port kOutputs[] = {{"image"}};

}  // namespace

extern constinit const OpDef op_image_decoder{
    .name = "ImageDecoder",
    .doc =
        "The picture, [height, width, channels], in the bytes of a PNG, JPEG, BMP or binary PNM "
        "file, empty where that is malformed; EXIF orientation is done. TIFF, WebP and JPEG 2000 "
        "are "
        "refused by name.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<ImageDecoderAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
