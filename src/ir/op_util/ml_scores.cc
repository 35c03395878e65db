#include "ir/op_util/ml_scores.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace polaris {
namespace {

// In the order of PostTransform, which is ONNX's.
constexpr std::array<std::string_view, 5> kNames = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO",
                                                    "PROBIT"};

/// The inverse of the error function by Winitzki's formula, which ONNX's own reference and
/// onnxruntime have too.
double inverse_erf(double x) {
  constexpr double kA = 0.147;
  const double log = std::log((1 - x) * (1 + x));
  const double v = 2 / (3.14159 * kA) + log / 2;
  return std::copysign(std::sqrt(std::sqrt(v * v - log / kA) - v), x);
}

double probit(double p) { return std::sqrt(2.0) * inverse_erf(2 * p - 1); }

/// Exponents over their sum; of scores that are 0 none is taken where `skips_zeros`.
void softmax(std::span<double> scores, bool skips_zeros) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    if (skips_zeros && std::fabs(score) <= 1e-7) {
      score *= std::exp(-most);
    } else {
      score = std::exp(score - most);
      sum += score;
    }
  }
  for (double& score : scores) score /= sum;
}

}  // namespace

PostTransform post_transform_of(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  return at == kNames.end() ? PostTransform::kNone
                            : static_cast<PostTransform>(at - kNames.begin());
}

Status check_post_transform(const InferContext& c, std::string_view name) {
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return Status::success();
  return c.fail("post_transform, got '" + std::string(name) +
                "', wanted NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT");
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

void transform_scores(PostTransform transform, std::span<double> scores) {
  if (scores.empty() || (scores.size() == 1 && transform != PostTransform::kProbit)) return;
  switch (transform) {
    case PostTransform::kNone: return;
    case PostTransform::kSoftmax: return softmax(scores, false);
    case PostTransform::kSoftmaxZero: return softmax(scores, true);
    case PostTransform::kLogistic:
      for (double& score : scores) score = logistic(score);
      return;
    case PostTransform::kProbit:
      for (double& score : scores) score = probit(score);
      return;
  }
}

void put_complement(PostTransform transform, double score, std::span<double> scores) {
  scores[0] = 1 - score;
  scores[1] = score;
  if (transform == PostTransform::kProbit) return transform_scores(transform, scores);
  if (transform != PostTransform::kLogistic) return;
  scores[0] = logistic(-score);
  scores[1] = logistic(score);
}

std::int64_t largest(std::span<const double> scores) {
  std::size_t at = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > scores[at]) at = i;
  }
  return static_cast<std::int64_t>(at);
}

void MlRows::read(std::int64_t row, std::vector<double>& out) const {
  const std::int64_t features = feature_dim(shape);
  out.resize(static_cast<std::size_t>(features));
  for (std::int64_t i = 0; i < features; ++i) {
    out[static_cast<std::size_t>(i)] = load_f64(dtype, data, row * features + i);
  }
}

Status check_rows(const InferContext& c, std::int64_t features) {
  if (auto s = all_of(check_dtype(c, 0, kMlTypes), check_rank(c, 0, 1, 2)); !s) return s;
  if (features < 0) return Status::success();
  return check_dims(c, "features of input X", feature_dim(c.in(0).shape), features);
}

Status check_labels(const InferContext& c, std::string_view names, const ClassLabels& labels) {
  return check_one_given(c, names, int{!labels.ints.empty()} + int{!labels.texts.empty()});
}

void set_classified(InferContext& c, const ClassLabels& labels, std::int64_t scores) {
  const std::int64_t rows = row_dim(c.in(0).shape);
  set_output(c, 0, labels.texts.empty() ? DType::kI64 : DType::kString, Shape{rows});
  set_output(c, 1, DType::kF32, Shape{rows, scores});
}

void set_regressed(InferContext& c, std::int64_t targets) {
  set_output(c, 0, DType::kF32, Shape{row_dim(c.in(0).shape), targets});
}

}  // namespace polaris
