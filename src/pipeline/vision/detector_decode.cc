// What the outputs of each head say, as the programs that published them read it.
#include <algorithm>
#include <cmath>
#include <utility>

#include "pipeline/vision/detector_head.h"

namespace polaris {
namespace {

/// Four numbers as a head gives them.
struct RawBox {
  double n[4];
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

class Decoder {
 public:
  Decoder(const DetectorPlan& plan, std::span<const Tensor> outputs,
          const PictureInput::Placed& input)
      : plan_(plan), outputs_(outputs), input_(input) {}

  Result<std::vector<Detection>> decode() {
    Status status;
    switch (plan_.head) {
      case DetectorHead::kSsd:
      case DetectorHead::kTorchvision: status = given(); break;
      case DetectorHead::kUltraFace:
      case DetectorHead::kUltraFaceRaw: status = ultraface(); break;
      case DetectorHead::kYoloV5:
      case DetectorHead::kYoloV8: status = yolo(); break;
      case DetectorHead::kFastestDet: status = fastestdet(); break;
    }
    if (!status) return status.error();
    return std::move(found_);
  }

 private:
  const Tensor& output(std::size_t index) const { return outputs_[index]; }
  static Error misfit(const Tensor& tensor, const std::string& wanted) {
    return Error::invalid("[detect] output, got " + tensor.type().to_string() + ", wanted " +
                          wanted);
  }

  void add(const RawBox& box, double score, std::int64_t index) {
    if (!(score >= plan_.score_min)) return;  // NaN is none either
    const auto& n = box.n;
    Detection out{n[0], n[1], n[2], n[3], score, index};
    if (plan_.format == BoxFormat::kYxyx) out = {n[1], n[0], n[3], n[2], score, index};
    if (plan_.format == BoxFormat::kXywh) {
      out = {n[0] - n[2] / 2, n[1] - n[3] / 2, n[0] + n[2] / 2, n[1] + n[3] / 2, score, index};
    }
    if (plan_.units == BoxUnits::kRelative) {
      out.x0 *= static_cast<double>(input_.width);
      out.x1 *= static_cast<double>(input_.width);
      out.y0 *= static_cast<double>(input_.height);
      out.y1 *= static_cast<double>(input_.height);
    }
    const double sides[] = {out.x0, out.y0, out.x1, out.y1};
    if (std::all_of(std::begin(sides), std::end(sides),
                    [](double x) { return std::isfinite(x); })) {
      found_.push_back(out);
    }
  }
  /// Row `index` of a tensor of rows of four.
  static RawBox box_at(const Tensor& boxes, std::int64_t index) {
    RawBox out{};
    for (int i = 0; i < 4; ++i) out.n[i] = element_as_f64(boxes, index * 4 + i);
    return out;
  }

  /// Boxes with a score and a class each.
  Status given() {
    const Tensor& boxes = output(plan_.boxes);
    const Tensor& scores = output(plan_.scores);
    const Tensor& classes = output(plan_.classes);
    std::int64_t count = scores.elements();
    if (boxes.shape().rank() < 2 || boxes.shape().back() != 4 || boxes.elements() != count * 4) {
      return misfit(boxes, "[N, 4] for N = " + std::to_string(count) + " scores");
    }
    if (classes.elements() != count) {
      return misfit(classes, "[N] for N = " + std::to_string(count) + " scores");
    }
    if (plan_.has_count) {
      const Tensor& number = output(plan_.count);
      if (number.elements() != 1) return misfit(number, "one number");
      const double said = element_as_f64(number, 0);
      if (!(said >= 0)) return misfit(number, "the number of boxes");
      count = said < static_cast<double>(count) ? static_cast<std::int64_t>(said) : count;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const double index = std::nearbyint(element_as_f64(classes, i));
      if (!(std::fabs(index) < 1e9)) return misfit(classes, "indices of classes");
      add(box_at(boxes, i), element_as_f64(scores, i), static_cast<std::int64_t>(index));
    }
    return Status::success();
  }

  /// Class 0 is what is behind.
  Status ultraface() {
    const Tensor& boxes = output(plan_.boxes);
    const Tensor& scores = output(plan_.scores);
    const std::int64_t count = boxes.elements() / 4;
    if (boxes.shape().rank() != 3 || boxes.shape().back() != 4) return misfit(boxes, "[1, N, 4]");
    if (scores.shape().rank() != 3 || scores.shape()[0] != 1 || scores.shape()[1] != count ||
        scores.shape()[2] < 2) {
      return misfit(scores, "[1, N, C] for N = " + std::to_string(count) + " boxes");
    }
    const bool raw = plan_.head == DetectorHead::kUltraFaceRaw;
    const std::vector<RawBox> anchors = raw ? ultraface_anchors() : std::vector<RawBox>();
    if (raw && std::cmp_not_equal(anchors.size(), count)) {
      return misfit(boxes, "as many as anchors: " + std::to_string(anchors.size()));
    }
    const std::int64_t classes = scores.shape()[2];
    for (std::int64_t i = 0; i < count; ++i) {
      const auto [index, score] = best(scores, i * classes + 1, 1, classes - 1);
      RawBox box = box_at(boxes, i);
      if (raw) box = from_anchor(box, anchors[static_cast<std::size_t>(i)]);
      add(box, score, index + 1);
    }
    return Status::success();
  }
  /// Of Linzaer's detectors: middles and sizes, relative to the input.
  std::vector<RawBox> ultraface_anchors() const {
    struct Level {
      std::int64_t stride;
      std::vector<double> sizes;
    };
    const std::vector<Level> levels = {
        {8, {10, 16, 24}}, {16, {32, 48}}, {32, {64, 96}}, {64, {128, 192, 256}}};
    const auto part = [](double x) { return std::clamp(x, 0.0, 1.0); };
    const auto width = static_cast<double>(input_.width);
    const auto height = static_cast<double>(input_.height);
    std::vector<RawBox> out;
    for (const Level& level : levels) {
      const auto step = static_cast<double>(level.stride);
      for (std::int64_t y = 0; y * level.stride < input_.height; ++y) {
        for (std::int64_t x = 0; x * level.stride < input_.width; ++x) {
          for (const double size : level.sizes) {
            out.push_back({{part((static_cast<double>(x) + 0.5) * step / width),
                            part((static_cast<double>(y) + 0.5) * step / height),
                            part(size / width), part(size / height)}});
          }
        }
      }
    }
    return out;
  }
  static RawBox from_anchor(const RawBox& box, const RawBox& anchor) {
    constexpr double kCenterVariance = 0.1;
    constexpr double kSizeVariance = 0.2;
    const auto& a = anchor.n;
    const double x = box.n[0] * kCenterVariance * a[2] + a[0];
    const double y = box.n[1] * kCenterVariance * a[3] + a[1];
    const double width = std::exp(box.n[2] * kSizeVariance) * a[2];
    const double height = std::exp(box.n[3] * kSizeVariance) * a[3];
    return {{x - width / 2, y - height / 2, x + width / 2, y + height / 2}};
  }

  /// The largest of `count` numbers, `step` apart; of none, class 0 with all that there is.
  static std::pair<std::int64_t, double> best(const Tensor& tensor, std::int64_t first,
                                              std::int64_t step, std::int64_t count) {
    std::pair<std::int64_t, double> out{0, -INFINITY};
    for (std::int64_t c = 0; c < count; ++c) {
      const double score = element_as_f64(tensor, first + c * step);
      if (score > out.second) out = {c, score};
    }
    return out;
  }

  Status yolo() {
    const Tensor& tensor = output(plan_.boxes);
    const Shape& s = tensor.shape();
    const bool object = plan_.head == DetectorHead::kYoloV5;
    const std::int64_t first = object ? 5 : 4;
    if (s.rank() != 3 || s[0] != 1 || s[plan_.transposed ? 1 : 2] <= first) {
      return misfit(tensor, plan_.transposed ? "[1, 4 + C, N]"
                            : object         ? "[1, N, 5 + C]"
                                             : "[1, N, 4 + C]");
    }
    const std::int64_t columns = s[plan_.transposed ? 1 : 2];
    const std::int64_t count = s[plan_.transposed ? 2 : 1];
    const std::int64_t step = plan_.transposed ? count : 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = plan_.transposed ? i : i * columns;
      const double factor = object ? element_as_f64(tensor, at + 4 * step) : 1;
      if (!(factor >= plan_.score_min)) continue;  // scores are 1 at most
      const auto [index, score] = best(tensor, at + first * step, step, columns - first);
      RawBox box{};
      for (int n = 0; n < 4; ++n) box.n[n] = element_as_f64(tensor, at + n * step);
      add(box, score * factor, index);
    }
    return Status::success();
  }

  Status fastestdet() {
    const Tensor& tensor = output(plan_.boxes);
    const Shape& s = tensor.shape();
    if (s.rank() != 4 || s[0] != 1 || s[1] < 6) return misfit(tensor, "[1, 5 + C, H, W]");
    const std::int64_t step = s[2] * s[3];
    for (std::int64_t i = 0; i < step; ++i) {
      const auto at = [&](std::int64_t channel) {
        return element_as_f64(tensor, channel * step + i);
      };
      const auto [index, likely] = best(tensor, 5 * step + i, step, s[1] - 5);
      const double score = std::pow(at(0), 0.6) * std::pow(likely, 0.4);
      const std::int64_t row = i / s[3];
      const RawBox box{
          {(static_cast<double>(i % s[3]) + std::tanh(at(1))) / static_cast<double>(s[3]),
           (static_cast<double>(row) + std::tanh(at(2))) / static_cast<double>(s[2]),
           sigmoid(at(3)), sigmoid(at(4))}};
      add(box, score, index);
    }
    return Status::success();
  }

  const DetectorPlan& plan_;
  std::span<const Tensor> outputs_;
  const PictureInput::Placed& input_;
  std::vector<Detection> found_;
};

}  // namespace

Result<std::vector<Detection>> decode_detections(const DetectorPlan& plan,
                                                 std::span<const Tensor> outputs,
                                                 const PictureInput::Placed& input) {
  for (const std::size_t index : {plan.boxes, plan.scores, plan.classes, plan.count}) {
    if (is_host_only(outputs[index].type())) {
      return Error::unsupported("[detect] output, got " + outputs[index].type().to_string() +
                                ", wanted numbers");
    }
  }
  return Decoder(plan, outputs, input).decode();
}

}  // namespace polaris
