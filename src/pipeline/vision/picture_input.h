#pragma once
#include <array>
#include <vector>

#include "media/image.h"
#include "pipeline/vision/media_model.h"
#include "pipeline/vision/settings.h"

namespace polaris {

/// Where a picture's pixels are in a model's input: input = picture * scale + shift.
struct PictureMap {
  double scale_x = 1;
  double scale_y = 1;
  double shift_x = 0;
  double shift_y = 0;
};

/// What is chosen where neither card nor options say; by the kind of model.
struct PictureDefaults {
  PictureFit fit = PictureFit::kCrop;
  std::int64_t pad = 0;
  std::vector<double> mean = {0};  // with `scale`
  std::vector<double> std = {1};
  double scale = 1.0 / 255;
  bool bgr = false;
  ResizeFilter filter = ResizeFilter::kBilinear;
  /// The sides of an input that leaves them open: 0 for the picture's own, -1 for an error.
  std::int64_t free_side = -1;
  /// Of a float input of three channels: ImageNet's mean and deviation.
  bool imagenet = false;
};

/// How pictures become a model's input: whole settings, ready for any picture.
class PictureInput {
 public:
  /// Whether a model's input may be a picture at all, by its shape: [N, C, H, W], [N, H, W, C], or
  /// without N, with 1 or 3 channels.
  static bool is_picture(const MediaPort& port);

  /// Errors: invalid or unsupported, naming the key that is missing or does not fit.
  static Result<PictureInput> create(const Graph& graph, const Metadata& metadata, MediaPort port,
                                     const ModelCard& card, const PictureDefaults& defaults);

  struct Placed {
    Tensor tensor;
    PictureMap map;
    std::int64_t width = 0;  // of the input
    std::int64_t height = 0;
  };
  Result<Placed> place(const Image& image) const;

  const MediaPort& port() const { return port_; }
  /// 0 where it is the picture's own.
  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  void list(Settings& out) const;

 private:
  Status settle_layout(const ModelCard& card);
  Status settle_size(const ModelCard& card, const PictureDefaults& defaults);
  Status settle_numbers(const Graph& graph, const Metadata& metadata, const ModelCard& card,
                        const PictureDefaults& defaults);
  Status fill_table(std::optional<MediaQuantization> quantization);
  Result<Image> fitted(const Image& image, PictureMap& map) const;

  MediaPort port_;
  PictureLayout layout_ = PictureLayout::kNchw;
  std::int64_t channels_ = 3;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  PictureFit fit_ = PictureFit::kCrop;
  ResizeTo resize_;
  std::int64_t pad_ = 0;
  ResizeFilter filter_ = ResizeFilter::kBilinear;
  double scale_ = 1;
  std::vector<double> mean_;
  std::vector<double> std_;
  bool bgr_ = false;
  /// The input's element for each byte of each channel, in the input's order of channels.
  std::vector<std::byte> table_;
};

}  // namespace polaris
