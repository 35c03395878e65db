#include <algorithm>
#include <cmath>

#include "ir/op_attrs/resize.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kBoxes, kScores, kMost, kIou, kScore };

/// An input with one number, or, in older files, with none.
Status check_number(const InferContext& c, int i, std::string_view name, DType dtype) {
  if (!c.has(i)) return Status::success();
  if (auto s = all_of(check_dtype(c, i, dtype_set(dtype)), check_rank(c, i, 0, 1)); !s) return s;
  if (c.in(i).shape.rank() == 0 || c.in(i).shape[0] == 0) return Status::success();
  return check_dims(c, "size of " + std::string(name), c.in(i).shape[0], 1);
}

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, kBoxes, dtype_set(DType::kF32)), check_rank(c, kBoxes, 3, 3),
                 check_dtype(c, kScores, dtype_set(DType::kF32)), check_rank(c, kScores, 3, 3),
                 check_number(c, kMost, "max_output_boxes_per_class", DType::kI64),
                 check_number(c, kIou, "iou_threshold", DType::kF32),
                 check_number(c, kScore, "score_threshold", DType::kF32),
                 check_dims(c, "last dim of boxes", c.in(kBoxes).shape[2], 4),
                 check_dims(c, "batch of scores", c.in(kScores).shape[0], c.in(kBoxes).shape[0]),
                 check_dims(c, "boxes of scores", c.in(kScores).shape[2], c.in(kBoxes).shape[1]));
      !s) {
    return s;
  }
  const Shape& scores = c.in(kScores).shape;
  set_output(c, 0, DType::kI64, Shape{kUnknownDim, 3});
  if (c.bounds.empty()) return Status::success();
  std::int64_t each = scores[2];
  const auto most = c.has(kMost) ? c.ints(kMost) : std::vector<std::int64_t>{0};
  if (most && is_static_dim(each)) {
    each = most->empty() ? 0 : std::clamp<std::int64_t>((*most)[0], 0, each);
  }
  const Shape all{scores[0], scores[1], each};
  c.bounds[0] = Shape{all.checked_elements().value_or(kUnknownDim), 3};
  return Status::success();
}

struct Box {
  double low[2];
  double high[2];

  double area() const { return (high[0] - low[0]) * (high[1] - low[1]); }
};

Box box_at(const RefTensor& boxes, std::int64_t i, bool center) {
  double v[4];
  for (int k = 0; k < 4; ++k) v[k] = get_f64(boxes, i * 4 + k);
  Box out{};
  for (int d = 0; d < 2; ++d) {
    const double a = center ? v[d] - v[d + 2] / 2 : v[d];
    const double b = center ? v[d] + v[d + 2] / 2 : v[d + 2];
    out.low[d] = center ? a : std::min(a, b);
    out.high[d] = center ? b : std::max(a, b);
  }
  return out;
}

/// Intersection over union; 0 where a box is empty.
double overlap(const Box& a, const Box& b) {
  double shared = 1;
  for (int d = 0; d < 2; ++d) {
    const double extent = std::min(a.high[d], b.high[d]) - std::max(a.low[d], b.low[d]);
    if (!(extent > 0)) return 0;
    shared *= extent;
  }
  const double both = a.area() + b.area() - shared;
  return a.area() > 0 && b.area() > 0 && both > 0 ? shared / both : 0;
}

/// An input's number, or `otherwise` where it is absent or empty.
double number_of(const RefContext& c, int i, double otherwise) {
  return c.has(i) && c.in(i).type.shape.elements() > 0 ? get_f64(c.in(i), 0) : otherwise;
}

struct Candidate {
  double score;
  std::int64_t box;
};

/// The boxes of a class above the threshold, the best first; of equals the lower index, NaN last.
std::vector<Candidate> candidates_of(const RefContext& c, std::int64_t line, std::int64_t count) {
  std::vector<Candidate> out;
  const bool all = !c.has(kScore) || c.in(kScore).type.shape.elements() == 0;
  const double threshold = number_of(c, kScore, 0);
  for (std::int64_t k = 0; k < count; ++k) {
    const double score = get_f64(c.in(kScores), line * count + k);
    if (all || score > threshold) out.push_back({score, k});
  }
  std::stable_sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    return std::isnan(b.score) ? !std::isnan(a.score) : a.score > b.score;
  });
  return out;
}

Status reference(RefContext& c) {
  const bool center = c.as<NonMaxSuppressionAttrs>().center_point_box;
  const Shape& scores = c.in(kScores).type.shape;
  const std::int64_t count = scores[2];
  const bool limited = c.has(kMost) && c.in(kMost).type.shape.elements() > 0;
  const std::int64_t most = limited ? get_i64(c.in(kMost), 0) : 0;
  const double limit = number_of(c, kIou, 0);
  std::int64_t found = 0;
  const bool any = most > 0 && scores.elements() > 0;
  for (std::int64_t line = 0; any && line < scores[0] * scores[1]; ++line) {
    const std::int64_t batch = line / scores[1];
    std::vector<Box> kept;
    for (const Candidate& candidate : candidates_of(c, line, count)) {
      if (static_cast<std::int64_t>(kept.size()) >= most) break;
      const Box box = box_at(c.in(kBoxes), batch * count + candidate.box, center);
      const bool covered = std::any_of(
          kept.begin(), kept.end(), [&](const Box& other) { return overlap(box, other) > limit; });
      if (covered) continue;
      kept.push_back(box);
      put_i64(c.out(0), found * 3, batch);
      put_i64(c.out(0), found * 3 + 1, line % scores[1]);
      put_i64(c.out(0), found * 3 + 2, candidate.box);
      ++found;
    }
  }
  c.set_shape(0, Shape{found, 3});
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const Shape& scores = n.inputs[kScores].shape;
  return work_of({16, scores[0], scores[1], scores[2]});
}

constexpr Port kInputs[] = {{"boxes"},
                            {"scores"},
                            {"max_output_boxes_per_class", kOptional},
                            {"iou_threshold", kOptional},
                            {"score_threshold", kOptional}};
constexpr Port kOutputs[] = {{"selected_indices"}};

}  // namespace

extern constinit const OpDef op_non_max_suppression{
    .name = "NonMaxSuppression",
    .doc =
        "[batch, class, box] of the boxes with the best scores in each class that overlap none "
        "chosen before by more than iou_threshold; without a number of boxes none.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kDataDependent,
    .make_attrs = make_attrs<NonMaxSuppressionAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
