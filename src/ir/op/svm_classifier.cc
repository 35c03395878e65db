#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "ir/op_util/ml_scores.h"
#include "ir/op_util/svm.h"

namespace polaris {
namespace {

struct SvmClassifierAttrs final : AttrsOf<SvmClassifierAttrs> {
  std::vector<std::int64_t> classlabels_ints;
  std::vector<std::string> classlabels_strings;
  std::vector<float> coefficients;
  std::vector<float> kernel_params;
  std::string kernel_type = "LINEAR";
  std::string post_transform = "NONE";
  std::vector<float> prob_a;
  std::vector<float> prob_b;
  std::vector<float> rho;
  std::vector<float> support_vectors;
  std::vector<std::int64_t> vectors_per_class;

  void visit(AttrVisitor& v) override {
    v.field("classlabels_ints", classlabels_ints);
    v.field("classlabels_strings", classlabels_strings);
    v.field("coefficients", coefficients);
    v.field("kernel_params", kernel_params);
    v.field("kernel_type", kernel_type);
    v.field("post_transform", post_transform);
    v.field("prob_a", prob_a);
    v.field("prob_b", prob_b);
    v.field("rho", rho);
    v.field("support_vectors", support_vectors);
    v.field("vectors_per_class", vectors_per_class);
  }
  ClassLabels labels() const { return {classlabels_ints, classlabels_strings}; }
};

/// Those of all classes, or nothing where they cannot be added.
std::optional<std::int64_t> vector_count(const SvmClassifierAttrs& attrs) {
  std::optional<std::int64_t> sum = 0;
  for (const std::int64_t count : attrs.vectors_per_class) {
    if (count < 0) return std::nullopt;
    sum = checked_add(*sum, count);
    if (!sum) return std::nullopt;
  }
  return sum;
}

Status check_at_least(const InferContext& c, std::string_view what, std::size_t got,
                      std::int64_t wanted) {
  if (static_cast<std::int64_t>(got) >= wanted) return Status::success();
  return c.fail(std::string(what) + ", got " + std::to_string(got) + " values, wanted " +
                std::to_string(wanted));
}

/// Without support vectors: a row of coefficients for each class.
Status infer_linear(InferContext& c, const SvmClassifierAttrs& attrs) {
  const std::int64_t classes = attrs.labels().size();
  const auto count = static_cast<std::int64_t>(attrs.coefficients.size());
  if (count == 0 || count % classes != 0) {
    return c.fail("coefficients, got " + std::to_string(count) + " for " + std::to_string(classes) +
                  " classes");
  }
  if (auto s =
          all_of(check_at_least(c, "rho", attrs.rho.size(), 1), check_rows(c, count / classes));
      !s) {
    return s;
  }
  set_classified(c, attrs.labels(), classes);
  return Status::success();
}

/// One score for each pair of classes.
Status infer_pairs(InferContext& c, const SvmClassifierAttrs& attrs, std::int64_t vectors) {
  const std::int64_t classes = attrs.labels().size();
  if (classes < 2) return c.fail("classes, got " + std::to_string(classes) + ", wanted 2 or more");
  const auto twice = checked_mul(classes, classes - 1);
  const auto coefficients = checked_mul(vectors, classes - 1);
  if (!twice || !coefficients) {
    return c.fail("classes, got " + std::to_string(classes) + ", which is too many");
  }
  const std::int64_t pairs = *twice / 2;
  const auto features = svm_features(c, attrs.support_vectors.size(), vectors);
  if (!features) return features.error();
  const bool has_odds = !attrs.prob_a.empty();
  if (auto s = all_of(check_count(c, "vectors_per_class", attrs.vectors_per_class.size(),
                                  static_cast<std::size_t>(classes)),
                      check_count(c, "coefficients", attrs.coefficients.size(),
                                  static_cast<std::size_t>(*coefficients)),
                      check_at_least(c, "rho", attrs.rho.size(), pairs),
                      check_count(c, "prob_b", attrs.prob_b.size(), attrs.prob_a.size()),
                      check_at_least(c, "prob_a", attrs.prob_a.size(), has_odds ? pairs : 0),
                      check_rows(c, *features));
      !s) {
    return s;
  }
  set_classified(c, attrs.labels(), has_odds ? classes : std::max<std::int64_t>(pairs, 2));
  return Status::success();
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<SvmClassifierAttrs>();
  if (auto s = all_of(check_labels(c, "classlabels_*", attrs.labels()),
                      check_svm_kernel(c, attrs.kernel_type, attrs.kernel_params),
                      check_post_transform(c, attrs.post_transform));
      !s) {
    return s;
  }
  const auto vectors = vector_count(attrs);
  if (!vectors) return c.fail("vectors_per_class, got a negative number or a sum too large");
  return *vectors == 0 ? infer_linear(c, attrs) : infer_pairs(c, attrs, *vectors);
}

/// Classes' probabilities of those of pairs, r[i][j] that of i against j: Wu, Lin and Weng's second
/// method, in at most 100 rounds as libsvm has it.
std::vector<double> couple(const std::vector<double>& r, std::size_t k) {
  std::vector<double> q(k * k);
  std::vector<double> qp(k);
  std::vector<double> p(k, 1.0 / static_cast<double>(k));
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      if (i == j) continue;
      q[i * k + i] += r[j * k + i] * r[j * k + i];
      q[i * k + j] = -r[j * k + i] * r[i * k + j];
    }
  }
  for (int round = 0; round < 100; ++round) {
    double pqp = 0;
    for (std::size_t i = 0; i < k; ++i) {
      qp[i] = 0;
      for (std::size_t j = 0; j < k; ++j) qp[i] += q[i * k + j] * p[j];
      pqp += p[i] * qp[i];
    }
    double most = 0;
    for (const double value : qp) most = std::max(most, std::fabs(value - pqp));
    if (most < 0.005 / static_cast<double>(k)) break;
    for (std::size_t i = 0; i < k; ++i) {
      const double step = (pqp - qp[i]) / q[i * k + i];
      p[i] += step;
      pqp = (pqp + step * (step * q[i * k + i] + 2 * qp[i])) / (1 + step) / (1 + step);
      for (std::size_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + step * q[i * k + j]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p;
}

class Model {
 public:
  using AttrsType = SvmClassifierAttrs;
  Model(const SvmClassifierAttrs& a, std::int64_t /*features*/)
      : attrs_(a),
        kernel_(a.kernel_type, a.kernel_params),
        classes_(static_cast<std::size_t>(a.labels().size())),
        vectors_(static_cast<std::size_t>(*vector_count(a))) {
    std::size_t start = 0;
    for (const std::int64_t count : a.vectors_per_class) {
      starts_.push_back(start);
      start += static_cast<std::size_t>(count);
    }
    starts_.push_back(start);
  }

  ClassLabels labels() const { return attrs_.labels(); }
  std::int64_t columns() const {
    const bool by_class = vectors_ == 0 || !attrs_.prob_a.empty();
    const std::size_t pairs = classes_ * (classes_ - 1) / 2;
    return static_cast<std::int64_t>(by_class ? classes_ : std::max<std::size_t>(pairs, 2));
  }

  std::int64_t classify(std::span<const double> x, std::span<double> scores) const {
    const PostTransform transform = post_transform_of(attrs_.post_transform);
    if (vectors_ == 0) {
      const std::span<const float> rows(attrs_.coefficients);
      for (std::size_t k = 0; k < classes_; ++k) {
        scores[k] =
            dot(x, rows.subspan(k * x.size(), x.size())) + static_cast<double>(attrs_.rho[0]);
      }
      const std::int64_t label = largest(scores);
      transform_scores(transform, scores);
      return label;
    }
    std::vector<double> votes(classes_);
    const std::vector<double> pairs = score_pairs(x, votes);
    if (!attrs_.prob_a.empty()) {
      const std::vector<double> odds = couple(odds_of(pairs), classes_);
      std::copy(odds.begin(), odds.end(), scores.begin());
      transform_scores(transform, scores);
    } else if (classes_ > 2) {
      std::copy(pairs.begin(), pairs.end(), scores.begin());
      transform_scores(transform, scores);
    } else if (transform == PostTransform::kNone) {
      scores[0] = -pairs[0];
      scores[1] = pairs[0];
    } else {
      put_complement(transform, pairs[0], scores);
    }
    return largest(votes);
  }

 private:
  std::vector<double> score_pairs(std::span<const double> x, std::vector<double>& votes) const {
    std::vector<double> kernels(vectors_);
    const std::span<const float> vectors(attrs_.support_vectors);
    for (std::size_t k = 0; k < vectors_; ++k) {
      kernels[k] = kernel_(x, vectors.subspan(k * x.size(), x.size()));
    }
    std::vector<double> out;
    for (std::size_t i = 0; i + 1 < classes_; ++i) {
      for (std::size_t j = i + 1; j < classes_; ++j) {
        const double score = static_cast<double>(attrs_.rho[out.size()]) + part(kernels, i, j - 1) +
                             part(kernels, j, i);
        ++votes[score > 0 ? i : j];
        out.push_back(score);
      }
    }
    return out;
  }

  /// What the vectors of a class give by that row of coefficients.
  double part(const std::vector<double>& kernels, std::size_t of_class, std::size_t row) const {
    double sum = 0;
    for (std::size_t k = starts_[of_class]; k < starts_[of_class + 1]; ++k) {
      sum += kernels[k] * static_cast<double>(attrs_.coefficients[row * vectors_ + k]);
    }
    return sum;
  }

  std::vector<double> odds_of(const std::vector<double>& pairs) const {
    std::vector<double> out(classes_ * classes_);
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < classes_; ++i) {
      for (std::size_t j = i + 1; j < classes_; ++j, ++at) {
        const double fit = pairs[at] * static_cast<double>(attrs_.prob_a[at]) +
                           static_cast<double>(attrs_.prob_b[at]);
        const double odds = std::clamp(1 - logistic(fit), 1e-7, 1 - 1e-7);
        out[i * classes_ + j] = odds;
        out[j * classes_ + i] = 1 - odds;
      }
    }
    return out;
  }

  const SvmClassifierAttrs& attrs_;
  SvmKernel kernel_;
  std::size_t classes_;
  std::size_t vectors_;
  std::vector<std::size_t> starts_;
};

}  // namespace

extern constinit const OpDef op_svm_classifier{
    .name = "SVMClassifier",
    .domain = kMlDomain,
    .doc =
        "Each pair of classes votes by the kernels of X and their support vectors; the label with "
        "most votes, and the pairs' scores (-s and s of two classes), or the classes' "
        "probabilities where prob_a and prob_b are there. Without support vectors the largest of X "
        "times each class's coefficients.",
    .since = 1,
    .inputs = kClassifierInputs,
    .outputs = kClassifierOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<SvmClassifierAttrs>,
    .infer = infer,
    .reference = classify<Model>,
    .host = classify_by_name<Model>,
};

}  // namespace polaris
