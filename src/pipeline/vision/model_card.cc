#include "pipeline/vision/model_card.h"

#include <algorithm>
#include <set>

#include "base/json_writer.h"
#include "base/os/files.h"
#include "base/strings.h"
#include "load/source.h"
#include "media/image.h"
#include "media/sound.h"
#include "pipeline/vision/label_list.h"

namespace polaris {
namespace {

constexpr std::int64_t kCardBytesMax = 16 << 20;

// Names of choices, in the order of their enumerations.
constexpr std::array<std::string_view, 2> kPictureLayouts = {"nchw", "nhwc"};
constexpr std::array<std::string_view, 3> kFits = {"crop", "letterbox", "stretch"};
constexpr std::array<std::string_view, 4> kActivations = {"none", "softmax", "sigmoid", "exp"};
constexpr std::array<std::string_view, 7> kHeads = {
    "ssd", "ultraface", "ultraface-raw", "torchvision", "yolov5", "yolov8", "fastestdet"};
constexpr std::array<std::string_view, 3> kBoxFormats = {"xyxy", "yxyx", "xywh"};
constexpr std::array<std::string_view, 2> kBoxUnits = {"pixels", "relative"};

template <auto kMember>
bool set_text(ModelCard& card, const JsonValue& value) {
  const auto text = value.text();
  if (!text || text->empty()) return false;
  card.*kMember = std::string(*text);
  return true;
}

template <auto kMember>
bool set_flag(ModelCard& card, const JsonValue& value) {
  card.*kMember = value.boolean();
  return (card.*kMember).has_value();
}

template <auto kMember, std::int64_t kLow, std::int64_t kHigh>
bool set_whole(ModelCard& card, const JsonValue& value) {
  const auto number = value.i64();
  if (!number || *number < kLow || *number > kHigh) return false;
  card.*kMember = *number;
  return true;
}

template <auto kMember>
bool set_part(ModelCard& card, const JsonValue& value) {
  const auto number = value.number();
  if (!number || !(*number >= 0 && *number <= 1)) return false;
  card.*kMember = *number;
  return true;
}

/// Large enough for any use of them, and far from the ends of float32.
bool is_moderate(double x) { return x >= -1e9 && x <= 1e9; }

bool set_scale(ModelCard& card, const JsonValue& value) {
  const auto number = value.number();
  if (!number || !is_moderate(*number) || *number <= 0) return false;
  card.scale = *number;
  return true;
}

template <auto kMember, bool kPositive>
bool set_channels(ModelCard& card, const JsonValue& value) {
  std::vector<double> out;
  if (const auto one = value.number()) out.push_back(*one);
  for (JsonValue v = value.is(JsonKind::kArray) ? value.first() : JsonValue(); v; v = v.next()) {
    const auto number = v.number();
    if (!number || out.size() == 3) return false;
    out.push_back(*number);
  }
  const bool fits = std::all_of(
      out.begin(), out.end(), [](double x) { return is_moderate(x) && (!kPositive || x > 1e-9); });
  if ((out.size() != 1 && out.size() != 3) || !fits) return false;
  card.*kMember = std::move(out);
  return true;
}

bool is_side(std::int64_t side) { return side >= 1 && side <= kImageSideMax; }

/// 256, or "640x480": width and height.
std::optional<ResizeTo> size_of(const JsonValue& value) {
  if (const auto side = value.i64()) {
    if (!is_side(*side)) return std::nullopt;
    return ResizeTo{*side, {*side, *side}};
  }
  const auto text = value.text();
  if (!text) return std::nullopt;
  const auto parts = split(*text, 'x');
  if (parts.size() != 2) return std::nullopt;
  const auto width = parse_i64(parts[0]);
  const auto height = parse_i64(parts[1]);
  if (!width || !height || !is_side(*width) || !is_side(*height)) return std::nullopt;
  return ResizeTo{0, {*width, *height}};
}
bool set_resize(ModelCard& card, const JsonValue& value) {
  card.resize = size_of(value);
  return card.resize.has_value();
}
bool set_crop(ModelCard& card, const JsonValue& value) {
  const auto size = size_of(value);
  if (size) card.crop = size->size;
  return size.has_value();
}

template <auto kMember, const auto& kNames>
bool set_choice(ModelCard& card, const JsonValue& value) {
  const auto text = value.text();
  const auto at = text ? std::find(kNames.begin(), kNames.end(), *text) : kNames.end();
  if (at == kNames.end()) return false;
  using Choice = typename std::remove_reference_t<decltype(card.*kMember)>::value_type;
  card.*kMember = static_cast<Choice>(at - kNames.begin());
  return true;
}

bool set_filter(ModelCard& card, const JsonValue& value) {
  const auto text = value.text();
  card.filter = text ? resize_filter_from_name(*text) : std::nullopt;
  return card.filter.has_value();
}

bool set_labels(ModelCard& card, const JsonValue& value) {
  if (value.is(JsonKind::kText)) return set_text<&ModelCard::labels_file>(card, value);
  card.labels = labels_of(value);
  return card.labels.has_value();
}

constexpr std::uint8_t kBoth = kForClassify | kForDetect;
constexpr std::string_view kSide = "a side from 1 to 65535, or \"WIDTHxHEIGHT\"";
constexpr std::string_view kName = "a name";
constexpr std::string_view kPart = "0 to 1";
constexpr std::string_view kDetectors =
    "ssd, ultraface, ultraface-raw, torchvision, yolov5, yolov8 or fastestdet";

constexpr CardKey kKeys[] = {
    {"output", CardKind::kText, kForClassify, kName, "the output that holds the scores",
     set_text<&ModelCard::output>},
    {"resize", CardKind::kSize, kBoth, kSide,
     "size of the picture before it is cut: of its shorter side, or WIDTHxHEIGHT", set_resize},
    {"crop", CardKind::kSize, kBoth, kSide, "size of the part from the middle that is taken",
     set_crop},
    {"fit", CardKind::kText, kBoth, "crop, letterbox or stretch",
     "how the picture gets the input's size: crop (--resize, --crop), letterbox (whole, with a "
     "margin) or stretch",
     set_choice<&ModelCard::fit, kFits>},
    {"pad", CardKind::kWhole, kBoth, "0 to 255", "grey of the margin, before --scale",
     set_whole<&ModelCard::pad, 0, 255>},
    {"filter", CardKind::kText, kBoth, "nearest, box, bilinear, bicubic or lanczos",
     "how pixels are computed: nearest, box, bilinear, bicubic or lanczos", set_filter},
    {"scale", CardKind::kNumber, kBoth, "above 0, at most 1e+09",
     "what pixels of 0 to 255 are multiplied by before --mean is taken off; 1/255 without it, 1 "
     "where --mean or --std is above 1",
     set_scale},
    {"mean", CardKind::kNumbers, kBoth, "a number, or three: red, green and blue",
     "R,G,B taken off the scaled pixels, in this order with --bgr too",
     set_channels<&ModelCard::mean, false>},
    {"std", CardKind::kNumbers, kBoth, "a number above 0, or three: red, green and blue",
     "R,G,B that what is left is divided by", set_channels<&ModelCard::std, true>},
    {"bgr", CardKind::kFlag, kBoth, "true or false", "the input's first channel is blue",
     set_flag<&ModelCard::bgr>},
    {"layout", CardKind::kText, kBoth, "nchw or nhwc", "where the input has its channels",
     set_choice<&ModelCard::layout, kPictureLayouts>},
    {"rate", CardKind::kWhole, kForClassify, "1 to 768000",
     "samples a second that the input wants; recordings of another rate are resampled",
     set_whole<&ModelCard::rate, 1, kSoundRateMax>},
    {"labels", CardKind::kText, kBoth, "a file's name, or a list or object of names",
     "file with names of the classes: one a line, or a JSON list or object", set_labels},
    {"label_offset", CardKind::kOffset, kBoth, "a whole number from -1000 to 1000",
     "class 0 has the label of this index (-1: class 0 is the background, which has none)",
     set_whole<&ModelCard::label_offset, -1000, 1000>},
    {"top", CardKind::kWhole, kBoth, "1 to 100000", "classes, or boxes, that are shown",
     set_whole<&ModelCard::top, 1, 100000>},
    {"activation", CardKind::kText, kForClassify, "none, softmax, sigmoid or exp",
     "what turns the output into scores: none, softmax, sigmoid or exp; without it by the output's "
     "last operator",
     set_choice<&ModelCard::activation, kActivations>},
    {"detector", CardKind::kText, kForDetect, kDetectors,
     "what the outputs mean: ssd, ultraface, ultraface-raw, torchvision, yolov5, yolov8 or "
     "fastestdet",
     set_choice<&ModelCard::detector, kHeads>},
    {"boxes", CardKind::kText, kForDetect, kName, "the output that holds the boxes",
     set_text<&ModelCard::boxes>},
    {"scores", CardKind::kText, kForDetect, kName, "the output that holds the scores",
     set_text<&ModelCard::scores>},
    {"classes", CardKind::kText, kForDetect, kName, "the output that holds the classes",
     set_text<&ModelCard::classes>},
    {"count", CardKind::kText, kForDetect, kName, "the output that says how many boxes there are",
     set_text<&ModelCard::count>},
    {"box_format", CardKind::kText, kForDetect, "xyxy, yxyx or xywh",
     "a box's numbers: xyxy or yxyx (corners), xywh (middle and size)",
     set_choice<&ModelCard::box_format, kBoxFormats>},
    {"box_units", CardKind::kText, kForDetect, "pixels or relative",
     "of boxes: pixels of the input, or relative to its sides",
     set_choice<&ModelCard::box_units, kBoxUnits>},
    {"score_min", CardKind::kNumber, kForDetect, kPart, "the lowest score that is shown",
     set_part<&ModelCard::score_min>},
    {"iou_max", CardKind::kNumber, kForDetect, kPart,
     "of two boxes of a class that share more than this, the lesser goes; 1 keeps all",
     set_part<&ModelCard::iou_max>},
};

std::string key_names() {
  std::string out;
  for (const CardKey& key : kKeys) out += (out.empty() ? "" : ", ") + std::string(key.name);
  return out;
}

Error bad_value(const CardKey& key, const std::string& got) {
  const char* kind = key.kind == CardKind::kNumber  ? "a number, "
                     : key.kind == CardKind::kWhole ? "a whole number, "
                                                    : "";
  return Error::invalid("[card] " + std::string(key.name) + (got.empty() ? "" : ", got " + got) +
                        ", wanted " + kind + std::string(key.wanted));
}

/// False where the text is none.
bool write_number(JsonWriter& json, std::string_view text) {
  const auto number = parse_f64(text);
  if (!number) return false;
  const auto whole = parse_i64(text);
  whole ? json.value(*whole) : json.value(*number);
  return true;
}

}  // namespace

std::span<const CardKey> card_keys() { return kKeys; }
std::string_view detector_names() { return kDetectors; }

Status apply_card(std::string_view json, ModelCard& card) {
  const auto document = JsonDocument::parse(json);
  if (!document) return document.error();
  if (!document->root().is(JsonKind::kObject)) {
    return Error::invalid("[card] file, wanted a JSON object");
  }
  std::set<std::string_view> seen;
  for (JsonValue v = document->root().first(); v; v = v.next()) {
    const auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                  [&](const CardKey& k) { return k.name == v.name(); });
    const std::string name = "[card] key '" + printable(v.name()) + "'";
    if (key == std::end(kKeys)) return Error::invalid(name + ", wanted one of " + key_names());
    if (!seen.insert(v.name()).second) return Error::invalid(name + " stands there twice");
    if (key->set(card, v)) continue;
    const auto text = v.text();
    return bad_value(*key, text ? "'" + printable(*text) + "'" : "");
  }
  return Status::success();
}

Status apply_option(const CardKey& key, std::string_view text, ModelCard& card) {
  const Error wrong = bad_value(key, "'" + printable(text) + "'");
  JsonWriter json;
  switch (key.kind) {
    case CardKind::kText: json.value(text); break;
    case CardKind::kFlag: json.value(text == "true"); break;
    case CardKind::kSize:
      if (const auto side = parse_i64(text)) {
        json.value(*side);
      } else {
        json.value(text);
      }
      break;
    case CardKind::kNumber:
    case CardKind::kWhole:
    case CardKind::kOffset:
      if (!write_number(json, text)) return wrong;
      break;
    case CardKind::kNumbers:
      json.begin_array();
      for (const std::string_view part : split(text, ',')) {
        if (!write_number(json, trim(part))) return wrong;
      }
      json.end_array();
      break;
  }
  const auto document = JsonDocument::parse(json.text());
  if (!document) return wrong;
  return key.set(card, document->root()) ? Status::success() : wrong;
}

Result<ModelCard> read_card(const std::string& model_path) {
  const std::string path = model_path + ".card.json";
  ModelCard card;
  if (path_kind(path) == PathKind::kMissing) return card;
  const auto text = read_file(path, kCardBytesMax);
  if (!text) return text.error();
  if (auto status = apply_card(*text, card); !status) {
    return status.error().with_context("'" + path + "'");
  }
  if (!card.labels_file) return card;
  auto source = Source::open(path);
  if (!source) return source.error();
  const auto file = source->file(*card.labels_file);
  if (!file) return file.error().with_context("'" + path + "': labels");
  auto labels =
      parse_labels({reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size()});
  if (!labels) return labels.error().with_context("'" + *card.labels_file + "'");
  if (auto status = source->check(); !status) return status.error();
  card.labels = labels.take();
  return card;
}

std::string_view detector_head_name(DetectorHead head) {
  return kHeads[static_cast<std::size_t>(head)];
}
std::string_view box_format_name(BoxFormat format) {
  return kBoxFormats[static_cast<std::size_t>(format)];
}
std::string_view box_units_name(BoxUnits units) {
  return kBoxUnits[static_cast<std::size_t>(units)];
}
std::string_view picture_layout_name(PictureLayout layout) {
  return kPictureLayouts[static_cast<std::size_t>(layout)];
}
std::string_view picture_fit_name(PictureFit fit) { return kFits[static_cast<std::size_t>(fit)]; }
std::string_view score_activation_name(ScoreActivation activation) {
  return kActivations[static_cast<std::size_t>(activation)];
}

}  // namespace polaris
