// Boxes that stay where others overlap them too much.
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "load/tflite/importer.h"
#include "wire/flexbuffer.h"

namespace polaris::tflite {
namespace {

constexpr std::int64_t kAxis0 = 0;

/// [count, 3] of batch, class and box.
ValueId suppressed(OperatorImport& o, ValueId boxes, ValueId scores, ValueId most, ValueId overlap,
                   ValueId least) {
  return o.add("NonMaxSuppression", {boxes, scores, most, overlap, least});
}

ValueId column(OperatorImport& o, ValueId rows, std::int64_t i) {
  return o.add("Gather", {rows, o.builder().int_scalar(i)}, {{"axis", std::int64_t{1}}});
}

/// The first `count` of a list that may be shorter: zeros follow.
ValueId filled(OperatorImport& o, ValueId list, ValueId count, DType dtype) {
  Builder& b = o.builder();
  const ValueId zeros = b.add("Expand", {b.number(0, dtype), count});
  const ValueId all = b.add("Concat", {list, zeros}, {{"axis", kAxis0}});
  return b.add("Slice", {all, b.ints({0}), count, b.ints({0})});
}

/// Inputs: boxes, scores, most, overlap, least score, in version 5 a sigma.
void non_max_suppression(OperatorImport& o, bool scores_too) {
  Builder& b = o.builder();
  const ValueId boxes = b.add("Unsqueeze", {o.raw(0), b.ints({0})});
  const ValueId scores = b.add("Unsqueeze", {o.raw(1), b.ints({0, 1})});
  const ValueId most = b.reshape(o.index(2), {1});
  const ValueId rows =
      suppressed(o, boxes, scores, most, b.reshape(o.raw(3), {1}), b.reshape(o.raw(4), {1}));
  const ValueId chosen = column(o, rows, 2);
  const ValueId count = b.add("Shape", {chosen});
  o.give_raw(0, b.cast(filled(o, chosen, most, DType::kI64), DType::kI32));
  std::size_t next = 1;
  if (scores_too) {
    const ValueId of_chosen = b.add("Gather", {o.raw(1), chosen});
    o.give_raw(next++, filled(o, of_chosen, most, DType::kF32));
  }
  o.give_raw(next, b.cast(b.reshape(count, std::initializer_list<std::int64_t>{}), DType::kI32));
}

}  // namespace

void non_max_suppression_v4(OperatorImport& o) { non_max_suppression(o, false); }

void non_max_suppression_v5(OperatorImport& o) {
  const Tensor* sigma = o.builder().data(o.raw(5));
  if (!o.ok()) return;
  if (sigma == nullptr || sigma->elements() != 1 || element_as_f64(*sigma, 0) != 0) {
    return o.unsupported("soft suppression, wanted a sigma of 0");
  }
  non_max_suppression(o, true);
}

namespace {

/// TFLite_Detection_PostProcess (tensorflow/lite/kernels/detection_postprocess.cc): boxes as
/// offsets from anchors, scores by class, the first of which may be "nothing".
class DetectionPostprocess {
 public:
  explicit DetectionPostprocess(OperatorImport& o) : o_(o), b_(o.builder()) {}

  void run() {
    auto numbers = read_flex_numbers(o_.def().custom_options);
    if (!numbers) return o_.fail(numbers.error().message());
    numbers_ = numbers.take();
    most_ = whole("max_detections", 1);
    classes_ = whole("num_classes", 1);
    const std::int64_t per_box = whole("max_classes_per_detection", 1);
    const bool by_class = number("use_regular_nms", 0) != 0;
    if (!o_.ok()) return;
    if (per_box != 1 && !by_class) return o_.unsupported("max_classes_per_detection, wanted 1");
    const ValueId boxes = decoded();
    const std::int64_t found = b_.dim(o_.raw(1), -1);
    if (!o_.ok()) return;
    if (found < 0) return o_.unsupported("scores of a number of classes that is not known");
    const std::int64_t offset = found - classes_;
    if (offset < 0 || offset > 1) return o_.fail("num_classes, got " + std::to_string(classes_));
    const ValueId scores =
        b_.transpose(b_.slice(o_.real(1), 2, offset, offset + classes_), {0, 2, 1});
    by_class ? give_by_class(boxes, scores) : give_best(boxes, scores);
  }

 private:
  double number(std::string_view name, double otherwise) const {
    const auto at = numbers_.find(name);
    return at != numbers_.end() ? at->second : otherwise;
  }
  std::int64_t whole(std::string_view name, double otherwise) {
    constexpr double kMost = 1 << 20;
    const double found = number(name, otherwise);
    if (found >= 1 && found <= kMost) return static_cast<std::int64_t>(found);
    o_.fail(std::string(name) + ", got " + std::to_string(found));
    return 1;
  }
  double scale(std::string_view name) {
    const double found = number(name, 1);
    if (!(std::isfinite(found) && found > 0)) o_.fail(std::string(name) + ", wanted more than 0");
    return found;
  }

  /// Corners [1, boxes, 4].
  ValueId decoded() {
    const ValueId offsets = o_.real(0);
    const ValueId anchors = b_.add("Unsqueeze", {o_.real(2), b_.ints({0})});
    const auto part = [&](ValueId of, std::int64_t i) { return b_.slice(of, 2, i, i + 1); };
    const auto center = [&](std::int64_t i, std::string_view by) {
      const ValueId moved = b_.add("Div", {part(offsets, i), b_.number(scale(by))});
      return b_.add("Add", {b_.add("Mul", {moved, part(anchors, i + 2)}), part(anchors, i)});
    };
    const auto half = [&](std::int64_t i, std::string_view by) {
      const ValueId grown =
          b_.add("Exp", {b_.add("Div", {part(offsets, i), b_.number(scale(by))})});
      return b_.add("Mul", {b_.add("Mul", {grown, part(anchors, i)}), b_.number(0.5)});
    };
    const ValueId y = center(0, "y_scale");
    const ValueId x = center(1, "x_scale");
    const ValueId h = half(2, "h_scale");
    const ValueId w = half(3, "w_scale");
    return b_.add("Concat",
                  {b_.add("Sub", {y, h}), b_.add("Sub", {x, w}), b_.add("Add", {y, h}),
                   b_.add("Add", {x, w})},
                  {{"axis", std::int64_t{2}}});
  }

  ValueId chosen(ValueId boxes, ValueId scores, std::int64_t most) {
    // Theirs takes a score that equals the least one.
    const auto least = static_cast<float>(number("nms_score_threshold", 0));
    const float below = std::nextafter(least, -std::numeric_limits<float>::infinity());
    const float overlap = static_cast<float>(number("nms_iou_threshold", 0.5));
    return suppressed(o_, boxes, scores, b_.ints({most}), b_.floats({&overlap, 1}),
                      b_.floats({&below, 1}));
  }

  /// Each box competes with its best class.
  void give_best(ValueId boxes, ValueId scores) {
    const ValueId best = b_.add("ReduceMax", {scores, b_.ints({1})}, {{"keepdims", true}});
    const ValueId box = column(o_, chosen(boxes, best, most_), 2);
    const ValueId kind =
        b_.add("ArgMax", {scores}, {{"axis", std::int64_t{1}}, {"keepdims", false}});
    give(boxes, box, b_.add("Gather", {b_.reshape(kind, {-1}), box}),
         b_.add("Gather", {b_.reshape(best, {-1}), box}));
  }

  /// Boxes of one class compete with each other; the best of all classes stay.
  void give_by_class(ValueId boxes, ValueId scores) {
    const ValueId rows = chosen(boxes, scores, whole("detections_per_class", 100));
    const ValueId score = b_.add("GatherND", {scores, rows});
    const ValueId count = b_.add("Min", {b_.add("Shape", {score}), b_.ints({most_})});
    const auto best = b_.add_all("TopK", {score, count}, 2);
    give(boxes, b_.add("Gather", {column(o_, rows, 2), best[1]}),
         b_.add("Gather", {column(o_, rows, 1), best[1]}), best[0]);
  }

  void give(ValueId boxes, ValueId box, ValueId kind, ValueId score) {
    const ValueId most = b_.ints({most_});
    const ValueId corners = b_.add("Gather", {b_.reshape(boxes, {-1, 4}), box});
    const ValueId zeros = b_.add("Expand", {b_.number(0), b_.ints({most_, 4})});
    const ValueId all = b_.add("Concat", {corners, zeros}, {{"axis", kAxis0}});
    o_.give_raw(0, b_.reshape(b_.slice(all, 0, 0, most_), {1, most_, 4}));
    const auto list = [&](ValueId values) {
      return b_.reshape(filled(o_, b_.cast(values, DType::kF32), most, DType::kF32), {1, most_});
    };
    o_.give_raw(1, list(kind));
    o_.give_raw(2, list(score));
    o_.give_raw(3, b_.cast(b_.add("Shape", {box}), DType::kF32));
  }

  OperatorImport& o_;
  Builder& b_;
  std::map<std::string, double, std::less<>> numbers_;
  std::int64_t most_ = 0;
  std::int64_t classes_ = 0;
};

}  // namespace

void detection_postprocess(OperatorImport& o) { DetectionPostprocess(o).run(); }

}  // namespace polaris::tflite
