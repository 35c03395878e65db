#include <algorithm>

#include "ir/op_util/forest.h"
#include "ir/op_util/ml_scores.h"

namespace polaris {
namespace {

struct TreeEnsembleRegressorAttrs final : AttrsOf<TreeEnsembleRegressorAttrs> {
  std::string aggregate_function = "SUM";
  std::vector<float> base_values;
  Tensor base_values_as_tensor;
  std::int64_t n_targets = 0;
  TreeNodesAttrs nodes;
  std::string post_transform = "NONE";
  TreeWeightsAttrs target;

  void visit(AttrVisitor& v) override {
    v.field("aggregate_function", aggregate_function);
    v.field("base_values", base_values);
    v.field("base_values_as_tensor", base_values_as_tensor);
    v.field("n_targets", n_targets);
    v.require("n_targets");
    nodes.visit(v);
    v.field("post_transform", post_transform);
    v.field("target_ids", target.ids);
    v.field("target_nodeids", target.nodeids);
    v.field("target_treeids", target.treeids);
    v.field("target_weights", target.weights);
    v.field("target_weights_as_tensor", target.weights_as_tensor);
  }
};

std::optional<TreeAggregate> aggregate_of(std::string_view name) {
  if (name == "AVERAGE") return TreeAggregate::kAverage;
  if (name == "SUM") return TreeAggregate::kSum;
  if (name == "MIN") return TreeAggregate::kMin;
  if (name == "MAX") return TreeAggregate::kMax;
  return std::nullopt;
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<TreeEnsembleRegressorAttrs>();
  if (!aggregate_of(attrs.aggregate_function)) {
    return c.fail("aggregate_function, got '" + attrs.aggregate_function +
                  "', wanted AVERAGE, SUM, MIN or MAX");
  }
  const auto base = tree_numbers("base_values", attrs.base_values, attrs.base_values_as_tensor);
  if (!base) return c.fail(base.error().message());
  const auto said = static_cast<std::int64_t>(std::max(attrs.target.ids.size(), base->size()));
  if (attrs.n_targets < 1 || attrs.n_targets > said) {
    return c.fail("n_targets, got " + std::to_string(attrs.n_targets) + ", wanted 1 to " +
                  std::to_string(said) + ", of which something is said");
  }
  if (!base->empty()) {
    if (auto s =
            check_count(c, "base_values", base->size(), static_cast<std::size_t>(attrs.n_targets));
        !s) {
      return s;
    }
  }
  const auto forest = make_forest(attrs.nodes, attrs.target, "target", attrs.n_targets);
  if (!forest) return c.fail(forest.error().message());
  if (auto s = all_of(check_post_transform(c, attrs.post_transform), check_rows(c, -1),
                      check_tree_features(c, *forest));
      !s) {
    return s;
  }
  set_regressed(c, attrs.n_targets);
  return Status::success();
}

struct Model {
  using AttrsType = TreeEnsembleRegressorAttrs;
  Model(const TreeEnsembleRegressorAttrs& a, std::int64_t /*features*/)
      : how(*aggregate_of(a.aggregate_function)),
        transform(post_transform_of(a.post_transform)),
        base(tree_numbers("", a.base_values, a.base_values_as_tensor).take()),
        forest(make_forest(a.nodes, a.target, "target", a.n_targets).take()) {}

  void predict(std::span<const double> x, std::span<double> out) const {
    std::vector<bool> met;
    aggregate_trees(forest, how, x, out, met);
    for (std::size_t i = 0; i < base.size(); ++i) out[i] += base[i];
    transform_scores(transform, out);
  }

  TreeAggregate how;
  PostTransform transform;
  std::vector<double> base;
  Forest forest;
};

}  // namespace

extern constinit const OpDef op_tree_ensemble_regressor{
    .name = "TreeEnsembleRegressor",
    .domain = kMlDomain,
    .doc =
        "The sum, mean, minimum or maximum of what the leaves say that X comes to in each tree, "
        "for "
        "each target, plus its base value, transformed; a target alone only by PROBIT.",
    .since = 5,
    .inputs = kRegressorInputs,
    .outputs = kRegressorOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TreeEnsembleRegressorAttrs>,
    .infer = infer,
    .reference = regress<Model>,
};

}  // namespace polaris
