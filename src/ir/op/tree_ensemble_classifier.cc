#include <algorithm>

#include "ir/op_util/forest.h"
#include "ir/op_util/ml_scores.h"

namespace polaris {
namespace {

struct TreeEnsembleClassifierAttrs final : AttrsOf<TreeEnsembleClassifierAttrs> {
  std::vector<float> base_values;
  Tensor base_values_as_tensor;
  TreeWeightsAttrs classes;
  std::vector<std::int64_t> classlabels_int64s;
  std::vector<std::string> classlabels_strings;
  TreeNodesAttrs nodes;
  std::string post_transform = "NONE";

  void visit(AttrVisitor& v) override {
    v.field("base_values", base_values);
    v.field("base_values_as_tensor", base_values_as_tensor);
    v.field("class_ids", classes.ids);
    v.field("class_nodeids", classes.nodeids);
    v.field("class_treeids", classes.treeids);
    v.field("class_weights", classes.weights);
    v.field("class_weights_as_tensor", classes.weights_as_tensor);
    v.field("classlabels_int64s", classlabels_int64s);
    v.field("classlabels_strings", classlabels_strings);
    nodes.visit(v);
    v.field("post_transform", post_transform);
  }
  ClassLabels labels() const { return {classlabels_int64s, classlabels_strings}; }
  /// Leaves speak of one of two classes only: id 0 then stands for the second of them too.
  bool says_one_of_two() const {
    return labels().size() == 2 && !classes.ids.empty() &&
           std::all_of(classes.ids.begin(), classes.ids.end(),
                       [&](std::int64_t id) { return id == classes.ids[0]; });
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<TreeEnsembleClassifierAttrs>();
  const ClassLabels labels = attrs.labels();
  if (auto s = all_of(check_labels(c, "classlabels_*", labels),
                      check_post_transform(c, attrs.post_transform), check_rows(c, -1));
      !s) {
    return s;
  }
  const auto base = tree_numbers("base_values", attrs.base_values, attrs.base_values_as_tensor);
  if (!base) return c.fail(base.error().message());
  const auto forest = make_forest(attrs.nodes, attrs.classes, "class", labels.size());
  if (!forest) return c.fail(forest.error().message());
  const bool single = attrs.says_one_of_two() && attrs.classes.ids[0] == 0;
  if (!base->empty() && !(single && base->size() == 1)) {
    if (auto s =
            check_count(c, "base_values", base->size(), static_cast<std::size_t>(labels.size()));
        !s) {
      return s;
    }
  }
  if (auto s = check_tree_features(c, *forest); !s) return s;
  set_classified(c, labels, labels.size());
  return Status::success();
}

class Model {
 public:
  using AttrsType = TreeEnsembleClassifierAttrs;
  Model(const TreeEnsembleClassifierAttrs& a, std::int64_t /*features*/)
      : attrs_(a),
        transform_(post_transform_of(a.post_transform)),
        base_(tree_numbers("", a.base_values, a.base_values_as_tensor).take()),
        forest_(make_forest(a.nodes, a.classes, "class", a.labels().size()).take()),
        is_one_of_two_(a.says_one_of_two()),
        is_positive_(std::all_of(forest_.weights.begin(), forest_.weights.end(),
                                 [](const Forest::Weight& w) { return w.value >= 0; })) {}

  ClassLabels labels() const { return attrs_.labels(); }
  std::int64_t columns() const { return labels().size(); }

  std::int64_t classify(std::span<const double> x, std::span<double> scores) const {
    std::vector<bool> met;
    aggregate_trees(forest_, TreeAggregate::kSum, x, scores, met);
    if (is_one_of_two_ && attrs_.classes.ids[0] == 0) return classify_single(scores);
    for (std::size_t i = 0; i < base_.size(); ++i) {
      scores[i] += base_[i];
      met[i] = true;
    }
    const std::int64_t label = is_one_of_two_ ? choose(scores[1]) : largest_met(scores, met);
    transform_scores(transform_, scores);
    return label;
  }

 private:
  /// Weights without a negative one are taken for probabilities.
  std::int64_t choose(double score) const { return score > (is_positive_ ? 0.5 : 0.0) ? 1 : 0; }

  /// One score speaks of both classes.
  std::int64_t classify_single(std::span<double> scores) const {
    const double score = scores[0] + (base_.empty() ? 0 : base_.back());
    if (is_positive_ || transform_ == PostTransform::kLogistic ||
        transform_ == PostTransform::kProbit) {
      put_complement(transform_, score, scores);
    } else {
      scores[0] = -score;
      scores[1] = score;
    }
    return choose(score);
  }

  /// The first of the largest scores of those classes that a leaf or a base value speaks of.
  static std::int64_t largest_met(std::span<const double> scores, const std::vector<bool>& met) {
    std::size_t best = scores.size();
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (met[i] && (best == scores.size() || scores[i] > scores[best])) best = i;
    }
    return best == scores.size() ? 0 : static_cast<std::int64_t>(best);
  }

  const TreeEnsembleClassifierAttrs& attrs_;
  PostTransform transform_;
  std::vector<double> base_;
  Forest forest_;
  bool is_one_of_two_;
  bool is_positive_;
};

}  // namespace

extern constinit const OpDef op_tree_ensemble_classifier{
    .name = "TreeEnsembleClassifier",
    .domain = kMlDomain,
    .doc =
        "The label with the largest sum of what the leaves say that X comes to in each tree, and "
        "these sums plus base values, transformed. Where leaves speak of one of two classes only, "
        "its sum s chooses the second where it is above 0, or 0.5 where no weight is negative; of "
        "class id 0 the scores are then -s and s, 1 - s and s, or LOGISTIC of -s and s.",
    .since = 5,
    .inputs = kClassifierInputs,
    .outputs = kClassifierOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TreeEnsembleClassifierAttrs>,
    .infer = infer,
    .reference = classify<Model>,
    .host = classify_by_name<Model>,
};

}  // namespace polaris
