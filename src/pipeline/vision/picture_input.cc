#include "pipeline/vision/picture_input.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/bytes.h"
#include "tensor/element.h"

namespace polaris {
namespace {

constexpr std::int64_t kBytes = 256;
/// Of the pictures that classifiers are evaluated on: the part of the shorter side that is kept.
constexpr double kCropPart = 0.875;
constexpr std::int64_t kMarginSide = 128;  // smaller inputs take all of it
constexpr double kImageNetMean[] = {0.485, 0.456, 0.406};
constexpr double kImageNetStd[] = {0.229, 0.224, 0.225};

Error wanted(const std::string& key, const MediaPort& port, const std::string& what) {
  return Error::invalid("[media] input " + port_text(port) + ": " + what + "; \"" + key +
                        "\" of the card, or its option, says");
}

/// Dims behind the one of the batch, if there is one: three.
std::array<std::int64_t, 3> picture_dims(const MediaPort& port) {
  const int first = port.shape.rank() - 3;
  return {port.shape[first], port.shape[first + 1], port.shape[first + 2]};
}

bool is_channels(std::int64_t dim) { return dim == 1 || dim == 3; }

/// `image` on a picture of another size, its corner at (left, top), which may be outside.
Result<Image> on_canvas(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width,
                        std::int64_t height, std::int64_t pad) {
  auto out = make_image("media", width, height);
  if (!out) return out.error();
  std::fill(out->rgb.begin(), out->rgb.end(), static_cast<std::uint8_t>(pad));
  const std::int64_t x0 = std::max<std::int64_t>(0, left);
  const std::int64_t x1 = std::min(width, left + image.width);
  for (std::int64_t y = std::max<std::int64_t>(0, top); y < std::min(height, top + image.height);
       ++y) {
    const std::uint8_t* from =
        image.rgb.data() + ((y - top) * image.width + x0 - left) * kImageChannels;
    std::copy_n(from, std::max<std::int64_t>(0, x1 - x0) * kImageChannels,
                out->rgb.data() + (y * width + x0) * kImageChannels);
  }
  return out;
}

/// Half of it, a half rounded to even: where torchvision cuts, or puts, a picture.
std::int64_t half(std::int64_t x) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(x) / 2));
}

}  // namespace

bool PictureInput::is_picture(const MediaPort& port) {
  if (port.shape.rank() == 4) return true;
  if (port.shape.rank() != 3) return false;
  const auto dims = picture_dims(port);
  const auto wide = [](std::int64_t dim) { return dim > 3 || dim == kUnknownDim; };
  return (is_channels(dims[0]) && wide(dims[1]) && wide(dims[2])) ||
         (is_channels(dims[2]) && wide(dims[0]) && wide(dims[1]) && dims[0] != kUnknownDim);
}

Result<PictureInput> PictureInput::create(const Graph& graph, const Metadata& metadata,
                                          MediaPort port, const ModelCard& card,
                                          const PictureDefaults& defaults) {
  PictureInput out;
  out.port_ = std::move(port);
  const Shape& shape = out.port_.shape;
  if (!is_picture(out.port_)) {
    return Error::unsupported("[media] input " + port_text(out.port_) +
                              ", wanted one for pictures: [N, C, H, W] or [N, H, W, C]");
  }
  if (shape.rank() == 4 && shape[0] != 1 && shape[0] != kUnknownDim) {
    return Error::unsupported("[media] input " + port_text(out.port_) +
                              ", wanted one picture a run");
  }
  if (!is_float(out.port_.dtype) && !is_integer(out.port_.dtype)) {
    return Error::unsupported("[media] input " + port_text(out.port_) + ", wanted numbers");
  }
  if (is_small(out.port_.dtype)) {
    return Error::unsupported("[media] input " + port_text(out.port_) + ", wanted whole bytes");
  }
  if (auto status = out.settle_layout(card); !status) return status.error();
  if (auto status = out.settle_size(card, defaults); !status) return status.error();
  if (auto status = out.settle_numbers(graph, metadata, card, defaults); !status) {
    return status.error();
  }
  return out;
}

Status PictureInput::settle_layout(const ModelCard& card) {
  const auto dims = picture_dims(port_);
  const bool first = is_channels(dims[0]);
  const bool last = is_channels(dims[2]);
  if (card.layout) {
    layout_ = *card.layout;
  } else if (first == last) {
    return wanted("layout", port_, first ? "both ends may be the channels" : "no 1 or 3 channels");
  } else {
    layout_ = first ? PictureLayout::kNchw : PictureLayout::kNhwc;
  }
  const bool nchw = layout_ == PictureLayout::kNchw;
  channels_ = dims[nchw ? 0 : 2];
  if (channels_ == kUnknownDim) channels_ = 3;
  height_ = dims[nchw ? 1 : 0];
  width_ = dims[nchw ? 2 : 1];
  if (is_channels(channels_)) return Status::success();
  return Error::unsupported("[media] input " + port_text(port_) + ", got " +
                            std::to_string(channels_) + " channels, wanted 1 or 3");
}

Status PictureInput::settle_size(const ModelCard& card, const PictureDefaults& defaults) {
  PixelSize free{defaults.free_side, defaults.free_side};
  if (card.crop) {
    free = *card.crop;
  } else if (card.resize) {
    free = card.resize->size;
  }
  std::int64_t* const sides[] = {&width_, &height_};
  const std::int64_t given[] = {free.width, free.height};
  for (std::size_t i = 0; i < 2; ++i) {
    if (*sides[i] == kUnknownDim) *sides[i] = given[i];
    if (*sides[i] >= 0) continue;
    return wanted("crop", port_, "its sides are open");
  }
  if (width_ > kImageSideMax || height_ > kImageSideMax || width_ * height_ > kImagePixelsMax ||
      (width_ == 0) != (height_ == 0)) {
    return Error::unsupported("[media] input " + port_text(port_) + ", got sides of " +
                              std::to_string(width_) + " and " + std::to_string(height_));
  }
  if (card.crop && (card.crop->width != width_ || card.crop->height != height_)) {
    return Error::invalid("[media] crop, got " + std::to_string(card.crop->width) + " x " +
                          std::to_string(card.crop->height) + ", wanted the input's " +
                          std::to_string(width_) + " x " + std::to_string(height_));
  }
  const bool square = width_ == height_;
  fit_ = card.fit.value_or(card.resize || card.crop ? PictureFit::kCrop : defaults.fit);
  if (!card.fit && !card.resize && fit_ == PictureFit::kCrop && !square)
    fit_ = PictureFit::kStretch;
  if (width_ == 0) fit_ = PictureFit::kStretch;  // as it is
  if (fit_ != PictureFit::kCrop && card.resize &&
      (card.resize->size.width != width_ || card.resize->size.height != height_)) {
    return Error::invalid("[media] resize, got another size than the input's " +
                          std::to_string(width_) + " x " + std::to_string(height_) +
                          ", wanted \"fit\": \"crop\" with it");
  }
  pad_ = card.pad.value_or(fit_ == PictureFit::kCrop ? 0 : defaults.pad);
  filter_ = card.filter.value_or(defaults.filter);
  if (card.resize) {
    resize_ = *card.resize;
  } else {
    const std::int64_t shorter = std::min(width_, height_);
    const bool whole = !defaults.imagenet || shorter < kMarginSide;
    resize_.shorter =
        whole ? shorter
              : static_cast<std::int64_t>(std::lround(static_cast<double>(shorter) / kCropPart));
  }
  return Status::success();
}

Status PictureInput::settle_numbers(const Graph& graph, const Metadata& metadata,
                                    const ModelCard& card, const PictureDefaults& defaults) {
  const auto said = [&](const char* key) {
    const auto at = metadata.find(key);
    const auto* text = at == metadata.end() ? nullptr : std::get_if<std::string>(&at->second);
    return text == nullptr ? std::string() : *text;
  };
  // ONNX's own words for it (docs/MetadataProps.md there).
  const std::string range = said("Image.NominalPixelRange");
  bgr_ = card.bgr.value_or(defaults.bgr || said("Image.BitmapPixelFormat").starts_with("Bgr"));
  scale_ = defaults.scale;
  mean_ = defaults.mean;
  std_ = defaults.std;
  if (!is_float(port_.dtype)) {
    scale_ = 1;
    mean_ = {port_.dtype == DType::kI8 ? 128.0 : 0.0};
    std_ = {1};
  } else if (range == "NominalRange_0_255" || range == "NominalRange_16_235") {
    scale_ = 1;
    mean_ = {0};
    std_ = {1};
  } else if (range == "Normalized_0_1" || range == "Normalized_1_1") {
    scale_ = range == "Normalized_0_1" ? 1.0 / 255 : 2.0 / 255;
    mean_ = {range == "Normalized_0_1" ? 0.0 : 1.0};
    std_ = {1};
  } else if (defaults.imagenet && channels_ == 3) {
    mean_.assign(std::begin(kImageNetMean), std::end(kImageNetMean));
    std_.assign(std::begin(kImageNetStd), std::end(kImageNetStd));
  }
  const bool given = card.scale || card.mean || card.std;
  if (given) {
    mean_ = card.mean.value_or(std::vector<double>{0});
    std_ = card.std.value_or(std::vector<double>{1});
    const auto large = [](double x) { return std::fabs(x) > 1; };
    const bool of_bytes = std::any_of(mean_.begin(), mean_.end(), large) ||
                          std::any_of(std_.begin(), std_.end(), large);
    scale_ = card.scale.value_or(of_bytes ? 1.0 : 1.0 / 255);
  }
  for (const auto* list : {&mean_, &std_}) {
    if (list->size() == 1 || std::cmp_equal(list->size(), channels_)) continue;
    return Error::invalid("[media] mean and std, got " + std::to_string(list->size()) +
                          " numbers, wanted 1 for an input of 1 channel");
  }
  return fill_table(given && !is_float(port_.dtype) ? input_quantization(graph, port_.index)
                                                    : std::nullopt);
}

Status PictureInput::fill_table(std::optional<MediaQuantization> quantization) {
  const ElementWidth width = width_of(port_.dtype);
  table_.assign(static_cast<std::size_t>(width.of(kBytes * channels_)), std::byte{0});
  for (std::int64_t c = 0; c < channels_; ++c) {
    const auto color = static_cast<std::size_t>(bgr_ ? channels_ - 1 - c : c);
    const double mean = mean_[mean_.size() == 1 ? 0 : color];
    const double deviation = std_[std_.size() == 1 ? 0 : color];
    for (std::int64_t byte = 0; byte < kBytes; ++byte) {
      double value = (static_cast<double>(byte) * scale_ - mean) / deviation;
      if (quantization) value = value / quantization->scale + quantization->zero;
      if (!is_float(port_.dtype)) value = std::nearbyint(value);
      with_dtype(port_.dtype, [&](auto tag) {
        const auto element = from_f64<decltype(tag)>(value);
        copy_bytes(table_.data() + width.of(c * kBytes + byte), &element, sizeof element);
      });
    }
  }
  return Status::success();
}

Result<Image> PictureInput::fitted(const Image& image, PictureMap& map) const {
  const std::int64_t width = width_ > 0 ? width_ : image.width;
  const std::int64_t height = height_ > 0 ? height_ : image.height;
  PixelSize size{width, height};
  if (fit_ == PictureFit::kLetterbox) {
    const double ratio = std::min(static_cast<double>(width) / static_cast<double>(image.width),
                                  static_cast<double>(height) / static_cast<double>(image.height));
    const auto scaled = [&](std::int64_t side) {
      return std::max<std::int64_t>(1, std::lround(static_cast<double>(side) * ratio));
    };
    size = {std::min(width, scaled(image.width)), std::min(height, scaled(image.height))};
  } else if (fit_ == PictureFit::kCrop && resize_.shorter == 0) {
    size = resize_.size;
  } else if (fit_ == PictureFit::kCrop) {
    // The longer side without its fraction, as torchvision has it.
    const std::int64_t s = resize_.shorter;
    size = image.width <= image.height ? PixelSize{s, s * image.height / image.width}
                                       : PixelSize{s * image.width / image.height, s};
  }
  auto resized = resize_image(image, size.width, size.height, filter_);
  if (!resized) return resized.error();
  map.scale_x = static_cast<double>(size.width) / static_cast<double>(image.width);
  map.scale_y = static_cast<double>(size.height) / static_cast<double>(image.height);
  if (size.width == width && size.height == height) return resized;
  const bool crop = fit_ == PictureFit::kCrop;
  const std::int64_t left = crop ? -half(size.width - width) : (width - size.width) / 2;
  const std::int64_t top = crop ? -half(size.height - height) : (height - size.height) / 2;
  map.shift_x = static_cast<double>(left);
  map.shift_y = static_cast<double>(top);
  return on_canvas(*resized, left, top, width, height, pad_);
}

Result<PictureInput::Placed> PictureInput::place(const Image& image) const {
  Placed out;
  const auto fitting = fitted(image, out.map);
  if (!fitting) return fitting.error();
  out.width = fitting->width;
  out.height = fitting->height;
  const bool nchw = layout_ == PictureLayout::kNchw;
  Shape shape =
      nchw ? Shape{channels_, out.height, out.width} : Shape{out.height, out.width, channels_};
  if (port_.shape.rank() == 4) shape.insert(0, 1);
  auto tensor = Tensor::allocate(port_.dtype, shape);
  if (!tensor) return tensor.error();
  const ElementWidth element = width_of(port_.dtype);
  const auto bytes = static_cast<std::size_t>(element.raw());
  std::byte* const to = tensor->mutable_bytes().data();
  const std::int64_t pixels = out.width * out.height;
  for (std::int64_t p = 0; p < pixels; ++p) {
    const std::uint8_t* rgb = fitting->rgb.data() + p * kImageChannels;
    for (std::int64_t c = 0; c < channels_; ++c) {
      const std::uint8_t value =
          channels_ == 1 ? grey_of(rgb) : rgb[bgr_ ? kImageChannels - 1 - c : c];
      copy_bytes(to + element.of(nchw ? c * pixels + p : p * channels_ + c),
                 table_.data() + element.of(c * kBytes + value), bytes);
    }
  }
  out.tensor = tensor.take();
  return out;
}

void PictureInput::list(Settings& out) const {
  const auto size = [](std::int64_t width, std::int64_t height) {
    return std::to_string(width) + "x" + std::to_string(height);
  };
  out.push_back({"input", port_.name});
  out.push_back({"layout", std::string(picture_layout_name(layout_))});
  if (width_ == 0) {
    out.push_back({"size", std::string("the picture's own")});
  } else {
    out.push_back({"fit", std::string(picture_fit_name(fit_))});
    if (fit_ == PictureFit::kCrop && resize_.shorter > 0) {
      out.push_back({"resize", resize_.shorter});
    } else if (fit_ == PictureFit::kCrop) {
      out.push_back({"resize", size(resize_.size.width, resize_.size.height)});
    }
    out.push_back({fit_ == PictureFit::kCrop ? "crop" : "resize", size(width_, height_)});
    out.push_back({"filter", std::string(resize_filter_name(filter_))});
    if (fit_ == PictureFit::kLetterbox) out.push_back({"pad", pad_});
  }
  out.push_back({"scale", scale_});
  out.push_back({"mean", mean_});
  out.push_back({"std", std_});
  if (channels_ == 3) out.push_back({"bgr", bgr_});
}

}  // namespace polaris
