#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/resize_image.h"
#include "wire/json.h"

namespace polaris {

enum class PictureLayout : std::uint8_t { kNchw, kNhwc };
/// How a picture gets the input's size: by its shorter side and a cut from the middle; whole, with
/// a margin; whole, whatever becomes of its proportions.
enum class PictureFit : std::uint8_t { kCrop, kLetterbox, kStretch };
/// What turns an output into scores.
enum class ScoreActivation : std::uint8_t { kNone, kSoftmax, kSigmoid, kExp };
/// What the outputs of a detector mean; docs/vision.md has each.
enum class DetectorHead : std::uint8_t {
  kSsd,
  kUltraFace,
  kUltraFaceRaw,
  kTorchvision,
  kYoloV5,
  kYoloV8,
  kFastestDet
};
/// The four numbers of a box.
enum class BoxFormat : std::uint8_t { kXyxy, kYxyx, kXywh };
/// Pixels of the input, or parts of its sides.
enum class BoxUnits : std::uint8_t { kPixels, kRelative };

struct PixelSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};
/// The shorter side, or both.
struct ResizeTo {
  std::int64_t shorter = 0;  // 0: both sides are given
  PixelSize size;
};

/// What is known of a model beside its file: MODEL.card.json, and options that say the same. What
/// is not set is chosen by the model's input and outputs.
struct ModelCard {
  std::optional<std::string> output;
  // of pictures
  std::optional<ResizeTo> resize;
  std::optional<PixelSize> crop;
  std::optional<PictureFit> fit;
  std::optional<std::int64_t> pad;
  std::optional<ResizeFilter> filter;
  std::optional<double> scale;
  std::optional<std::vector<double>> mean;  // one number, or red, green and blue
  std::optional<std::vector<double>> std;
  std::optional<bool> bgr;
  std::optional<PictureLayout> layout;
  // of recordings
  std::optional<std::int64_t> rate;
  // of classes
  std::optional<std::vector<std::string>> labels;
  std::optional<std::string> labels_file;
  std::optional<std::int64_t> label_offset;
  std::optional<std::int64_t> top;
  std::optional<ScoreActivation> activation;
  // of boxes
  std::optional<DetectorHead> detector;
  std::optional<std::string> boxes;
  std::optional<std::string> scores;
  std::optional<std::string> classes;
  std::optional<std::string> count;
  std::optional<BoxFormat> box_format;
  std::optional<BoxUnits> box_units;
  std::optional<double> score_min;
  std::optional<double> iou_max;
};

/// How the command line writes a key's value.
enum class CardKind : std::uint8_t { kText, kNumber, kWhole, kOffset, kNumbers, kFlag, kSize };

inline constexpr std::uint8_t kForClassify = 1;
inline constexpr std::uint8_t kForDetect = 2;

/// One key, in the card and as an option.
struct CardKey {
  std::string_view name;
  CardKind kind;
  std::uint8_t commands;    // those that have the option
  std::string_view wanted;  // "nchw or nhwc"; of kNumber and kWhole their bounds: "0 to 1"
  std::string_view doc;
  /// False where the value is none that the key takes.
  bool (*set)(ModelCard& card, const JsonValue& value) = nullptr;
};
std::span<const CardKey> card_keys();
/// Those of "detector", for messages: "ssd, ultraface ...".
std::string_view detector_names();

/// Sets what the text of a card says. Errors: invalid (no JSON object, a key that is none, naming
/// those that are, twice the same, a value that is none).
Status apply_card(std::string_view json, ModelCard& card);
/// Sets one key from the text that an option has. Errors: invalid.
Status apply_option(const CardKey& key, std::string_view text, ModelCard& card);

/// The card beside a model, MODEL.card.json, with its labels read; an empty one where there is no
/// such file. A file of labels lies in the card's folder. Errors: those of apply_card, naming the
/// file, and of reading it.
Result<ModelCard> read_card(const std::string& model_path);

std::string_view detector_head_name(DetectorHead head);
std::string_view box_format_name(BoxFormat format);
std::string_view box_units_name(BoxUnits units);
std::string_view picture_layout_name(PictureLayout layout);
std::string_view picture_fit_name(PictureFit fit);
std::string_view score_activation_name(ScoreActivation activation);

}  // namespace polaris
