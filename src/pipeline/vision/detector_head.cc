#include "pipeline/vision/detector_head.h"

#include <algorithm>
#include <optional>

namespace polaris {
namespace {

constexpr std::int64_t kFastestDetStride = 16;
constexpr std::int64_t kCocoClasses = 80;
constexpr std::int64_t kYoloBox = 4;
constexpr std::int64_t kYoloBoxAndObject = 5;

bool fits(std::int64_t dim, std::int64_t wanted) { return dim == wanted || dim == kUnknownDim; }

/// Cells of all strides of an input; 0 where its sides are open.
std::int64_t grid_cells(const MediaPort& input, std::initializer_list<std::int64_t> strides) {
  std::vector<std::int64_t> sides;
  for (const std::int64_t dim : input.shape) {
    if (dim == kUnknownDim) return 0;
    if (dim > 3) sides.push_back(dim);
  }
  if (sides.size() != 2 || sides[0] > kImageSideMax || sides[1] > kImageSideMax) return 0;
  std::int64_t out = 0;
  for (const std::int64_t stride : strides) out += (sides[0] / stride) * (sides[1] / stride);
  return out;
}
bool is_grid(const MediaPort& input, std::int64_t count, std::int64_t anchors) {
  return count == anchors * grid_cells(input, {8, 16, 32}) ||
         count == anchors * grid_cells(input, {8, 16, 32, 64}) ||
         count == anchors * grid_cells(input, {4, 8, 16, 32});
}

class Recognizer {
 public:
  Recognizer(const Graph& graph, std::span<const MediaPort> outputs, const MediaPort& input,
             const ModelCard& card, std::size_t labels)
      : graph_(graph), outputs_(outputs), input_(input), card_(card), labels_(labels) {}

  Result<DetectorPlan> plan() {
    if (auto status = find_named(); !status) return status.error();
    if (card_.detector) {
      plan_.head = *card_.detector;
      if (auto status = find_given(); !status) return status.error();
    } else {
      const auto head = guess();
      if (!head) return head.error();
      plan_.head = *head;
    }
    settle();
    return plan_;
  }

 private:
  std::string all() const {
    std::string out;
    for (const MediaPort& port : outputs_) out += (out.empty() ? "" : ", ") + port_text(port);
    return out;
  }
  Error unknown(const std::string& why) const {
    return Error::unsupported("[detect] outputs, got " + all() + ": " + why +
                              "; the card must say \"detector\": " + std::string(detector_names()));
  }

  /// The first output whose name, without what stands behind a colon, is one of these, or holds one
  /// of them.
  std::optional<std::size_t> named(std::initializer_list<std::string_view> names,
                                   bool whole = false) const {
    for (const std::string_view name : names) {
      for (const MediaPort& port : outputs_) {
        const std::string_view own = std::string_view(port.name).substr(0, port.name.find(':'));
        if (whole ? own == name : own.find(name) != own.npos) return port.index;
      }
    }
    return std::nullopt;
  }
  const Shape& shape(std::size_t output) const { return outputs_[output].shape; }
  /// [1, ...], or of unknown size.
  bool is_one(std::size_t output, int rank) const {
    return shape(output).rank() == rank && fits(shape(output)[0], 1);
  }
  bool are_boxes(std::size_t output) const {
    return is_one(output, 3) && shape(output)[2] == kYoloBox;
  }

  /// Outputs that the card names.
  Status find_named() {
    const std::pair<const std::optional<std::string>*, std::size_t*> wanted[] = {
        {&card_.boxes, &plan_.boxes},
        {&card_.scores, &plan_.scores},
        {&card_.classes, &plan_.classes},
        {&card_.count, &plan_.count}};
    for (const auto& [name, output] : wanted) {
      if (!*name) continue;
      const auto at = std::find_if(outputs_.begin(), outputs_.end(),
                                   [&](const MediaPort& port) { return port.name == **name; });
      if (at == outputs_.end()) {
        return Error::invalid("[card] output '" + **name + "' is not there, wanted one of " +
                              all());
      }
      *output = at->index;
    }
    plan_.has_count = card_.count.has_value();
    return Status::success();
  }
  /// What the card leaves open of a head that it names.
  Status find_given() {
    const auto need = [&](const char* key, const std::optional<std::string>& given,
                          std::size_t& output, std::initializer_list<std::string_view> names) {
      if (given) return Status::success();
      const auto found = named(names);
      if (!found) {
        return Status(Error::invalid("[detect] outputs, got " + all() + ": none is called " +
                                     std::string(*names.begin()) + "; the card must say \"" + key +
                                     "\""));
      }
      output = *found;
      return Status::success();
    };
    switch (plan_.head) {
      case DetectorHead::kYoloV5:
      case DetectorHead::kYoloV8:
      case DetectorHead::kFastestDet:
        if (outputs_.size() > 1 && !card_.boxes) {
          return Error::invalid("[detect] outputs, got " + all() +
                                ": one is wanted; the card must say \"boxes\"");
        }
        plan_.transposed = plan_.head == DetectorHead::kYoloV8 && !is_transposed_v8();
        return Status::success();
      case DetectorHead::kUltraFace:
      case DetectorHead::kUltraFaceRaw:
        if (auto s = need("boxes", card_.boxes, plan_.boxes, {"boxes"}); !s) return s;
        return need("scores", card_.scores, plan_.scores, {"scores"});
      case DetectorHead::kSsd:
        if (find_ssd()) return Status::success();
        break;
      case DetectorHead::kTorchvision:
        if (find_torchvision()) return Status::success();
        break;
    }
    if (auto s = need("boxes", card_.boxes, plan_.boxes, {"boxes"}); !s) return s;
    if (auto s = need("scores", card_.scores, plan_.scores, {"scores"}); !s) return s;
    return need("classes", card_.classes, plan_.classes, {"classes", "labels"});
  }
  /// [1, N, 4 + C], as some write what is [1, 4 + C, N] elsewhere.
  bool is_transposed_v8() const {
    const Shape& s = shape(plan_.boxes);
    if (s.rank() != 3) return false;
    return s[1] != kUnknownDim && s[2] != kUnknownDim
               ? s[1] > s[2]
               : labels_ > 0 && s[2] == kYoloBox + static_cast<std::int64_t>(labels_);
  }

  Result<DetectorHead> guess() {
    if (find_ssd()) return DetectorHead::kSsd;
    if (find_torchvision()) return DetectorHead::kTorchvision;
    if (outputs_.size() == 2) return guess_ultraface();
    if (outputs_.size() == 1 && shape(0).rank() == 4) return guess_fastestdet();
    if (outputs_.size() == 1 && is_one(0, 3)) return guess_yolo();
    return unknown("they are those of no head that is known");
  }
  bool find_ssd() {
    auto boxes = named({"detection_boxes"}, true);
    auto scores = named({"detection_scores"}, true);
    auto classes = named({"detection_classes"}, true);
    auto count = named({"num_detections"}, true);
    if ((!boxes || !scores || !classes || !count) && outputs_.size() == 4) {
      if (outputs_[0].name.find("TFLite_Detection_PostProcess") != std::string::npos) {
        boxes = 0, classes = 1, scores = 2, count = 3;  // as the converter orders them
      } else {
        boxes = named({"box"});
        scores = named({"score"});
        classes = named({"class", "label"});
        count = named({"num", "count"});
      }
    }
    if (!boxes || !scores || !classes || !count) return false;
    if (!are_boxes(*boxes) || !is_one(*scores, 2) || !is_one(*classes, 2)) return false;
    if (*scores == *classes || *boxes == *count) return false;
    plan_.boxes = *boxes;
    plan_.scores = *scores;
    plan_.classes = *classes;
    plan_.count = *count;
    plan_.has_count = true;
    return true;
  }
  /// boxes [N, 4], and of [N] each: labels, which are integers, and scores, which are not.
  bool find_torchvision() {
    std::optional<std::size_t> boxes;
    std::optional<std::size_t> labels;
    std::optional<std::size_t> scores;
    if (outputs_.size() != 3) return false;
    for (const MediaPort& port : outputs_) {
      if (port.shape.rank() == 2 && port.shape[1] == kYoloBox) boxes = port.index;
      if (port.shape.rank() != 1) continue;
      (is_integer(port.dtype) ? labels : scores) = port.index;
    }
    if (!boxes || !labels || !scores) return false;
    plan_.boxes = *boxes;
    plan_.classes = *labels;
    plan_.scores = *scores;
    return true;
  }
  Result<DetectorHead> guess_ultraface() {
    const auto boxes = named({"boxes"}, true);
    const auto scores = named({"scores"}, true);
    if (!boxes || !scores || !are_boxes(*boxes) || !is_one(*scores, 3) ||
        (shape(*scores)[2] != kUnknownDim && shape(*scores)[2] < 2)) {
      return unknown(
          "two outputs are a head that is known where they are called boxes [1, N, 4] "
          "and scores [1, N, C]");
    }
    plan_.boxes = *boxes;
    plan_.scores = *scores;
    return is_raw(graph_.outputs()[*boxes]) ? DetectorHead::kUltraFaceRaw
                                            : DetectorHead::kUltraFace;
  }
  /// Nothing but convolutions has made these numbers: they are offsets from anchors.
  bool is_raw(ValueId boxes) const {
    const Node* maker = maker_of(graph_, boxes);
    while (maker != nullptr && maker->op->name == "Concat") {
      maker = maker_of(graph_, maker->inputs[0]);
    }
    return maker != nullptr && maker->op->name == "Conv";
  }
  Result<DetectorHead> guess_fastestdet() {
    const Shape& s = shape(0);
    const std::int64_t classes = labels_ > 0 ? static_cast<std::int64_t>(labels_) : kCocoClasses;
    const bool at_stride = s[2] != kUnknownDim && s[3] != kUnknownDim && s[2] < kImageSideMax &&
                           s[3] < kImageSideMax &&
                           s[2] * s[3] == grid_cells(input_, {kFastestDetStride});
    if (fits(s[0], 1) && s[1] == kYoloBoxAndObject + classes && at_stride) {
      return DetectorHead::kFastestDet;
    }
    return unknown(
        "a map is a head that is known where it is FastestDet's: [1, 5 + C, H/16, W/16] "
        "with " +
        std::to_string(classes) + " classes" +
        (labels_ > 0 ? ", as many as there are labels" : ""));
  }
  Result<DetectorHead> guess_yolo() {
    const std::int64_t a = shape(0)[1];
    const std::int64_t b = shape(0)[2];
    const auto named_classes = static_cast<std::int64_t>(labels_);
    // [1, 4 + C, N], a cell of the grid each. An unknown dim is less than any size.
    if (a > kYoloBox && (b == kUnknownDim || (a < b && is_grid(input_, b, 1))) &&
        (labels_ == 0 || a == kYoloBox + named_classes)) {
      plan_.transposed = true;
      return DetectorHead::kYoloV8;
    }
    if (b > kYoloBoxAndObject && (a == kUnknownDim || a > b)) {
      // [1, N, 5 + C], three anchors a cell; one a cell is YOLOX's, which has other boxes.
      const bool fits_labels = labels_ == 0 || b == kYoloBoxAndObject + named_classes;
      if (fits_labels && a != kUnknownDim && is_grid(input_, a, 3)) return DetectorHead::kYoloV5;
      if (labels_ > 0 && b == kYoloBox + named_classes) return DetectorHead::kYoloV8;
      return unknown("[1, N, K] may be several heads, whose boxes differ");
    }
    return unknown(
        "one output is a head that is known where it is [1, N, 5 + C] (YOLOv5) or "
        "[1, 4 + C, N] (YOLOv8) over the cells of its input");
  }

  void settle() {
    switch (plan_.head) {
      case DetectorHead::kSsd:
        plan_.format = BoxFormat::kYxyx;
        plan_.units = BoxUnits::kRelative;
        break;
      case DetectorHead::kUltraFace:
      case DetectorHead::kUltraFaceRaw:
        plan_.units = BoxUnits::kRelative;
        plan_.score_min = 0.7;
        plan_.iou_max = 0.3;
        break;
      case DetectorHead::kTorchvision: break;
      case DetectorHead::kYoloV5:
      case DetectorHead::kYoloV8:
        plan_.format = BoxFormat::kXywh;
        plan_.score_min = 0.25;
        plan_.iou_max = 0.45;
        break;
      case DetectorHead::kFastestDet:
        plan_.format = BoxFormat::kXywh;
        plan_.units = BoxUnits::kRelative;
        plan_.score_min = 0.65;
        plan_.iou_max = 0.45;
        break;
    }
    plan_.format = card_.box_format.value_or(plan_.format);
    plan_.units = card_.box_units.value_or(plan_.units);
    plan_.score_min = card_.score_min.value_or(plan_.score_min);
    plan_.iou_max = card_.iou_max.value_or(plan_.iou_max);
  }

  const Graph& graph_;
  std::span<const MediaPort> outputs_;
  const MediaPort& input_;
  const ModelCard& card_;
  std::size_t labels_;
  DetectorPlan plan_;
};

}  // namespace

Result<DetectorPlan> recognize_detector(const Graph& graph, std::span<const MediaPort> outputs,
                                        const MediaPort& input, const ModelCard& card,
                                        std::size_t labels) {
  return Recognizer(graph, outputs, input, card, labels).plan();
}

PictureDefaults detector_picture(DetectorHead head) {
  PictureDefaults out;
  out.fit = PictureFit::kStretch;
  switch (head) {
    case DetectorHead::kSsd:
    case DetectorHead::kTorchvision: out.free_side = 0; break;
    case DetectorHead::kUltraFace:
    case DetectorHead::kUltraFaceRaw:
      out.scale = 1;
      out.mean = {127};
      out.std = {128};
      break;
    case DetectorHead::kYoloV5:
    case DetectorHead::kYoloV8:
      out.fit = PictureFit::kLetterbox;
      out.pad = 114;
      out.free_side = 640;
      break;
    case DetectorHead::kFastestDet:
      out.bgr = true;
      out.filter = ResizeFilter::kBox;
      break;
  }
  return out;
}

}  // namespace polaris
