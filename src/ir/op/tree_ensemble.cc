#include <algorithm>
#include <cmath>

#include "ir/op_util/forest.h"
#include "ir/op_util/ml_scores.h"

namespace polaris {
namespace {

/// Interior nodes and leaves are numbered apart; trueleafs and falseleafs say which of them a
/// node's children are.
struct TreeEnsembleAttrs final : AttrsOf<TreeEnsembleAttrs> {
  std::int64_t aggregate_function = 1;
  std::vector<std::int64_t> leaf_targetids;
  Tensor leaf_weights;
  Tensor membership_values;
  std::int64_t n_targets = 0;
  std::vector<std::int64_t> nodes_falseleafs;
  std::vector<std::int64_t> nodes_falsenodeids;
  std::vector<std::int64_t> nodes_featureids;
  Tensor nodes_hitrates;  // how often each is met: nothing depends on it
  std::vector<std::int64_t> nodes_missing_value_tracks_true;
  Tensor nodes_modes;
  Tensor nodes_splits;
  std::vector<std::int64_t> nodes_trueleafs;
  std::vector<std::int64_t> nodes_truenodeids;
  std::int64_t post_transform = 0;
  std::vector<std::int64_t> tree_roots;

  void visit(AttrVisitor& v) override {
    v.field("aggregate_function", aggregate_function);
    v.field("leaf_targetids", leaf_targetids);
    v.require("leaf_targetids");
    v.field("leaf_weights", leaf_weights);
    v.require("leaf_weights");
    v.field("membership_values", membership_values);
    v.field("n_targets", n_targets);
    v.require("n_targets");
    v.field("nodes_falseleafs", nodes_falseleafs);
    v.require("nodes_falseleafs");
    v.field("nodes_falsenodeids", nodes_falsenodeids);
    v.require("nodes_falsenodeids");
    v.field("nodes_featureids", nodes_featureids);
    v.require("nodes_featureids");
    v.field("nodes_hitrates", nodes_hitrates);
    v.field("nodes_missing_value_tracks_true", nodes_missing_value_tracks_true);
    v.field("nodes_modes", nodes_modes);
    v.require("nodes_modes");
    v.field("nodes_splits", nodes_splits);
    v.require("nodes_splits");
    v.field("nodes_trueleafs", nodes_trueleafs);
    v.require("nodes_trueleafs");
    v.field("nodes_truenodeids", nodes_truenodeids);
    v.require("nodes_truenodeids");
    v.field("post_transform", post_transform);
    v.field("tree_roots", tree_roots);
    v.require("tree_roots");
  }
};

Error fault(std::string_view what, std::int64_t got, std::string_view wanted) {
  return Error::invalid(std::string(what) + ", got " + std::to_string(got) + ", wanted " +
                        std::string(wanted));
}

Status check_sizes(const TreeEnsembleAttrs& a, std::size_t splits, std::size_t weights) {
  const std::size_t n = a.nodes_featureids.size();
  const std::pair<const char*, std::size_t> lists[] = {
      {"nodes_modes", static_cast<std::size_t>(a.nodes_modes ? a.nodes_modes.elements() : 0)},
      {"nodes_splits", splits},
      {"nodes_truenodeids", a.nodes_truenodeids.size()},
      {"nodes_falsenodeids", a.nodes_falsenodeids.size()},
      {"nodes_trueleafs", a.nodes_trueleafs.size()},
      {"nodes_falseleafs", a.nodes_falseleafs.size()}};
  if (n == 0) return Error::invalid("nodes_featureids, got no nodes");
  for (const auto& [name, size] : lists) {
    if (size != n) return fault(name, static_cast<std::int64_t>(size), std::to_string(n));
  }
  const std::size_t tracks = a.nodes_missing_value_tracks_true.size();
  if (tracks != 0 && tracks != n) {
    return fault("nodes_missing_value_tracks_true", static_cast<std::int64_t>(tracks),
                 std::to_string(n));
  }
  if (a.leaf_targetids.size() != weights) {
    return fault("leaf_weights", static_cast<std::int64_t>(weights),
                 std::to_string(a.leaf_targetids.size()));
  }
  if (a.nodes_modes.dtype() != DType::kU8) {
    return Error::invalid("nodes_modes, got " + a.nodes_modes.type().to_string() +
                          ", wanted uint8");
  }
  return Status::success();
}

/// Gives each node of set membership its values, in order: the sets end in NaN each and stand in
/// the nodes' order.
Status add_members(const std::vector<double>& values, Forest& forest) {
  forest.members.reserve(values.size());
  std::size_t at = 0;
  for (Forest::Node& node : forest.nodes) {
    if (node.mode != Forest::Mode::kMember) continue;
    node.from = static_cast<std::int64_t>(forest.members.size());
    for (; at < values.size() && !std::isnan(values[at]); ++at) {
      forest.members.push_back(values[at]);
    }
    if (at == values.size()) {
      return Error::invalid("membership_values, got fewer sets than nodes of mode MEMBER");
    }
    ++at;
    node.to = static_cast<std::int64_t>(forest.members.size());
    std::sort(forest.members.begin() + node.from, forest.members.end());
  }
  if (at == values.size()) return Status::success();
  return Error::invalid("membership_values, got more sets than nodes of mode MEMBER");
}

/// Leaves stand behind the interior nodes.
Result<Forest> make(const TreeEnsembleAttrs& a) {
  const auto splits = tree_numbers("nodes_splits", {}, a.nodes_splits);
  if (!splits) return splits.error();
  const auto weights = tree_numbers("leaf_weights", {}, a.leaf_weights);
  if (!weights) return weights.error();
  const auto members = tree_numbers("membership_values", {}, a.membership_values);
  if (!members) return members.error();
  if (auto s = check_sizes(a, splits->size(), weights->size()); !s) return s.error();
  const auto leaf_count = static_cast<std::int64_t>(weights->size());
  const auto node_count = static_cast<std::int64_t>(splits->size());
  Forest forest;
  forest.nodes.resize(splits->size() + weights->size());
  for (std::size_t i = 0; i < splits->size(); ++i) {
    Forest::Node& node = forest.nodes[i];
    const auto mode = element_as_i64(a.nodes_modes, static_cast<std::int64_t>(i));
    if (mode >= static_cast<std::int64_t>(Forest::Mode::kLeaf)) {
      return fault("nodes_modes", mode, "0 to 6");
    }
    node.mode = static_cast<Forest::Mode>(mode);
    node.feature = a.nodes_featureids[i];
    node.value = (*splits)[i];
    node.missing_is_true =
        !a.nodes_missing_value_tracks_true.empty() && a.nodes_missing_value_tracks_true[i] != 0;
    for (const bool yes : {true, false}) {
      const std::int64_t leaf = yes ? a.nodes_trueleafs[i] : a.nodes_falseleafs[i];
      const std::int64_t next = yes ? a.nodes_truenodeids[i] : a.nodes_falsenodeids[i];
      const std::int64_t count = leaf != 0 ? leaf_count : node_count;
      if (next < 0 || next >= count) {
        return fault(yes ? "nodes_truenodeids" : "nodes_falsenodeids", next,
                     "0 to " + std::to_string(count - 1));
      }
      (yes ? node.on_true : node.on_false) = leaf != 0 ? node_count + next : next;
    }
  }
  for (std::int64_t i = 0; i < leaf_count; ++i) {
    const std::int64_t target = a.leaf_targetids[static_cast<std::size_t>(i)];
    if (target < 0 || target >= a.n_targets) {
      return fault("leaf_targetids", target, "0 to " + std::to_string(a.n_targets - 1));
    }
    Forest::Node& node = forest.nodes[static_cast<std::size_t>(node_count + i)];
    node.from = i;
    node.to = i + 1;
    forest.weights.push_back({target, (*weights)[static_cast<std::size_t>(i)]});
  }
  for (const std::int64_t root : a.tree_roots) {
    if (root < 0 || root >= node_count) {
      return fault("tree_roots", root, "0 to " + std::to_string(node_count - 1));
    }
  }
  forest.roots = a.tree_roots;
  if (auto s = add_members(*members, forest); !s) return s.error();
  if (auto s = forest.check(); !s) return s.error();
  return forest;
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<TreeEnsembleAttrs>();
  const auto said = static_cast<std::int64_t>(attrs.leaf_targetids.size());
  if (attrs.n_targets < 1 || attrs.n_targets > said) {
    return c.fail("n_targets, got " + std::to_string(attrs.n_targets) + ", wanted 1 to " +
                  std::to_string(said) + ", of which something is said");
  }
  if (attrs.aggregate_function < 0 || attrs.aggregate_function > 3) {
    return c.fail("aggregate_function, got " + std::to_string(attrs.aggregate_function) +
                  ", wanted 0 to 3");
  }
  if (attrs.post_transform < 0 || attrs.post_transform > 4) {
    return c.fail("post_transform, got " + std::to_string(attrs.post_transform) +
                  ", wanted 0 to 4");
  }
  const auto forest = make(attrs);
  if (!forest) return c.fail(forest.error().message());
  if (auto s = all_of(check_dtype(c, 0, dtype_set(DType::kF32, DType::kF64, DType::kF16)),
                      check_rank(c, 0, 1, 2), check_tree_features(c, *forest));
      !s) {
    return s;
  }
  set_output(c, 0, c.in(0).dtype, Shape{row_dim(c.in(0).shape), attrs.n_targets});
  return Status::success();
}

struct Model {
  using AttrsType = TreeEnsembleAttrs;
  Model(const TreeEnsembleAttrs& a, std::int64_t /*features*/)
      : how(static_cast<TreeAggregate>(a.aggregate_function)),
        transform(static_cast<PostTransform>(a.post_transform)),
        forest(make(a).take()) {}

  void predict(std::span<const double> x, std::span<double> out) const {
    std::vector<bool> met;
    aggregate_trees(forest, how, x, out, met);
    transform_scores(transform, out);
  }

  TreeAggregate how;
  PostTransform transform;
  Forest forest;
};

}  // namespace

extern constinit const OpDef op_tree_ensemble{
    .name = "TreeEnsemble",
    .domain = kMlDomain,
    .doc =
        "The mean, sum, minimum or maximum of the weights of the leaves that X comes to in each "
        "tree, for each target, transformed; a target alone only by PROBIT.",
    .since = 5,
    .inputs = kRegressorInputs,
    .outputs = kRegressorOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TreeEnsembleAttrs>,
    .infer = infer,
    .reference = regress<Model>,
};

}  // namespace polaris
