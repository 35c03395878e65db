#include "ir/op_util/ml_linear.h"
#include "ir/op_util/ml_scores.h"

namespace polaris {
namespace {

struct LinearClassifierAttrs final : AttrsOf<LinearClassifierAttrs> {
  std::vector<std::int64_t> classlabels_ints;
  std::vector<std::string> classlabels_strings;
  std::vector<float> coefficients;
  std::vector<float> intercepts;
  std::int64_t multi_class = 0;
  std::string post_transform = "NONE";

  void visit(AttrVisitor& v) override {
    v.field("classlabels_ints", classlabels_ints);
    v.field("classlabels_strings", classlabels_strings);
    v.field("coefficients", coefficients);
    v.require("coefficients");
    v.field("intercepts", intercepts);
    v.field("multi_class", multi_class);
    v.field("post_transform", post_transform);
  }
  ClassLabels labels() const { return {classlabels_ints, classlabels_strings}; }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<LinearClassifierAttrs>();
  const ClassLabels labels = attrs.labels();
  if (auto s = all_of(check_labels(c, "classlabels_*", labels),
                      check_post_transform(c, attrs.post_transform), check_rows(c, -1));
      !s) {
    return s;
  }
  const auto count = static_cast<std::int64_t>(attrs.coefficients.size());
  // Of two classes one score may do; intercepts say how many there are.
  auto scores = static_cast<std::int64_t>(attrs.intercepts.size());
  const std::int64_t features = feature_dim(c.in(0).shape);
  if (scores == 0) scores = labels.size() == 2 && count == features ? 1 : labels.size();
  if (scores != labels.size() && !(scores == 1 && labels.size() == 2)) {
    return c.fail("intercepts, got " + std::to_string(scores) + " of " +
                  std::to_string(labels.size()) + " classes");
  }
  if (count == 0 || count % scores != 0) {
    return c.fail("coefficients, got " + std::to_string(count) + " for " + std::to_string(scores) +
                  " scores");
  }
  if (!attrs.intercepts.empty() || is_static_dim(features)) {
    if (auto s = check_rows(c, count / scores); !s) return s;
  }
  set_classified(c, labels, labels.size());
  return Status::success();
}

struct Model {
  using AttrsType = LinearClassifierAttrs;
  Model(const LinearClassifierAttrs& a, std::int64_t features)
      : attrs(a),
        is_single(static_cast<std::int64_t>(a.coefficients.size()) == features &&
                  a.labels().size() == 2) {}

  ClassLabels labels() const { return attrs.labels(); }
  std::int64_t columns() const { return labels().size(); }
  std::int64_t classify(std::span<const double> x, std::span<double> scores) const {
    const PostTransform transform = post_transform_of(attrs.post_transform);
    multiply_row(x, attrs.coefficients, attrs.intercepts, is_single ? scores.first(1) : scores);
    if (is_single) {
      const double score = scores[0];
      put_complement(transform, score, scores);
      return score > 0 ? 1 : 0;
    }
    const std::int64_t label = largest(scores);
    transform_scores(transform, scores);
    return label;
  }

  const LinearClassifierAttrs& attrs;
  bool is_single;
};

}  // namespace

extern constinit const OpDef op_linear_classifier{
    .name = "LinearClassifier",
    .domain = kMlDomain,
    .doc =
        "The label with the largest of X times each class's coefficients plus its intercept, and "
        "these scores, transformed. One score s for two classes chooses the second where it is "
        "above 0; the scores are then 1 - s and s, or LOGISTIC of -s and s.",
    .since = 1,
    .inputs = kClassifierInputs,
    .outputs = kClassifierOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LinearClassifierAttrs>,
    .infer = infer,
    .reference = classify<Model>,
    .host = classify_by_name<Model>,
};

}  // namespace polaris
