#include "ir/op_util/forest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "base/strings.h"

namespace polaris {
namespace {

std::string text(std::int64_t value) { return std::to_string(value); }

Status check_size(std::string_view what, std::size_t got, std::size_t wanted) {
  if (got == wanted) return Status::success();
  return Error::invalid(std::string(what) + ", got " + std::to_string(got) + " values, wanted " +
                        std::to_string(wanted));
}

Result<Forest::Mode> mode_of(const std::string& name) {
  constexpr std::array<std::string_view, 8> kModes = {"BRANCH_LEQ",    "BRANCH_LT", "BRANCH_GTE",
                                                      "BRANCH_GT",     "BRANCH_EQ", "BRANCH_NEQ",
                                                      "BRANCH_MEMBER", "LEAF"};
  const auto at = std::find(kModes.begin(), kModes.end(), name);
  if (at == kModes.end() || name == "BRANCH_MEMBER") {
    return Error::invalid("nodes_modes, got '" + printable(name) +
                          "', wanted LEAF or BRANCH_ and LEQ, LT, GTE, GT, EQ or NEQ");
  }
  return static_cast<Forest::Mode>(at - kModes.begin());
}

/// Nodes by their tree's number and their own.
class NodeIndex {
 public:
  explicit NodeIndex(const TreeNodesAttrs& nodes) {
    rows_.reserve(nodes.nodeids.size());
    for (std::size_t i = 0; i < nodes.nodeids.size(); ++i) {
      rows_.emplace_back(nodes.treeids[i], nodes.nodeids[i], static_cast<std::int64_t>(i));
    }
    std::sort(rows_.begin(), rows_.end());
  }

  Status check_unique() const {
    for (std::size_t i = 1; i < rows_.size(); ++i) {
      const auto& [tree, node, place] = rows_[i];
      if (std::get<0>(rows_[i - 1]) != tree || std::get<1>(rows_[i - 1]) != node) continue;
      return Error::invalid("node " + text(node) + " of tree " + text(tree) + " appears twice");
    }
    return Status::success();
  }

  Result<std::int64_t> find(std::string_view what, std::int64_t tree, std::int64_t node) const {
    const auto at =
        std::lower_bound(rows_.begin(), rows_.end(), std::tuple(tree, node, std::int64_t{0}));
    if (at != rows_.end() && std::get<0>(*at) == tree && std::get<1>(*at) == node) {
      return std::get<2>(*at);
    }
    return Error::invalid(std::string(what) + ", got " + text(node) +
                          ", which is no node of tree " + text(tree));
  }

  /// The first node of each tree.
  std::vector<std::int64_t> roots() const {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const bool opens = i == 0 || std::get<0>(rows_[i]) != std::get<0>(rows_[i - 1]);
      if (opens) out.push_back(std::get<2>(rows_[i]));
      out.back() = std::min(out.back(), std::get<2>(rows_[i]));
    }
    return out;
  }

 private:
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t>> rows_;
};

Status check_sizes(const TreeNodesAttrs& nodes, const TreeWeightsAttrs& leaves,
                   const std::string& stem, std::size_t values, std::size_t weights) {
  const std::size_t n = nodes.nodeids.size();
  const std::pair<const char*, std::size_t> lists[] = {
      {"nodes_treeids", nodes.treeids.size()},
      {"nodes_featureids", nodes.featureids.size()},
      {"nodes_modes", nodes.modes.size()},
      {"nodes_values", values},
      {"nodes_truenodeids", nodes.truenodeids.size()},
      {"nodes_falsenodeids", nodes.falsenodeids.size()}};
  if (n == 0) return Error::invalid("nodes_nodeids, got no nodes");
  for (const auto& [name, size] : lists) {
    if (auto s = check_size(name, size, n); !s) return s;
  }
  if (!nodes.missing_value_tracks_true.empty()) {
    if (auto s = check_size("nodes_missing_value_tracks_true",
                            nodes.missing_value_tracks_true.size(), n);
        !s) {
      return s;
    }
  }
  const std::size_t m = leaves.ids.size();
  if (auto s = check_size(stem + "_nodeids", leaves.nodeids.size(), m); !s) return s;
  if (auto s = check_size(stem + "_treeids", leaves.treeids.size(), m); !s) return s;
  return check_size(stem + "_weights", weights, m);
}

Status add_nodes(const TreeNodesAttrs& nodes, const std::vector<double>& values,
                 const NodeIndex& index, Forest& forest) {
  forest.nodes.resize(nodes.nodeids.size());
  for (std::size_t i = 0; i < forest.nodes.size(); ++i) {
    Forest::Node& node = forest.nodes[i];
    const auto mode = mode_of(nodes.modes[i]);
    if (!mode) return mode.error();
    node.mode = *mode;
    if (node.mode == Forest::Mode::kLeaf) continue;
    node.feature = nodes.featureids[i];
    node.value = values[i];
    node.missing_is_true =
        !nodes.missing_value_tracks_true.empty() && nodes.missing_value_tracks_true[i] != 0;
    const auto on_true = index.find("nodes_truenodeids", nodes.treeids[i], nodes.truenodeids[i]);
    if (!on_true) return on_true.error();
    const auto on_false = index.find("nodes_falsenodeids", nodes.treeids[i], nodes.falsenodeids[i]);
    if (!on_false) return on_false.error();
    node.on_true = *on_true;
    node.on_false = *on_false;
  }
  return Status::success();
}

/// Puts each leaf's weights side by side, in the order of the lists.
Status add_weights(const TreeWeightsAttrs& leaves, const std::vector<double>& weights,
                   const NodeIndex& index, const std::string& stem, std::int64_t targets,
                   Forest& forest) {
  std::vector<std::int64_t> places(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto place = index.find(stem + "_nodeids", leaves.treeids[i], leaves.nodeids[i]);
    if (!place) return place.error();
    if (leaves.ids[i] < 0 || leaves.ids[i] >= targets) {
      return Error::invalid(stem + "_ids, got " + text(leaves.ids[i]) + ", wanted 0 to " +
                            text(targets - 1));
    }
    places[i] = *place;
    ++forest.nodes[static_cast<std::size_t>(*place)].to;
  }
  std::int64_t start = 0;
  for (Forest::Node& node : forest.nodes) {
    node.from = start;
    start += node.to;
    node.to = node.from;
  }
  forest.weights.resize(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Forest::Node& node = forest.nodes[static_cast<std::size_t>(places[i])];
    forest.weights[static_cast<std::size_t>(node.to++)] = {leaves.ids[i], weights[i]};
  }
  return Status::success();
}

double merge(TreeAggregate how, double a, double b) {
  switch (how) {
    case TreeAggregate::kMin: return std::min(a, b);
    case TreeAggregate::kMax: return std::max(a, b);
    case TreeAggregate::kAverage:
    case TreeAggregate::kSum: break;
  }
  return a + b;
}

}  // namespace

bool Forest::goes_true(const Node& node, double x) const {
  switch (node.mode) {
    case Mode::kLeq: return x <= node.value;
    case Mode::kLt: return x < node.value;
    case Mode::kGte: return x >= node.value;
    case Mode::kGt: return x > node.value;
    case Mode::kEq: return x == node.value;
    case Mode::kNeq: return x != node.value;
    case Mode::kMember:
      // A search by order finds NaN anywhere.
      return !std::isnan(x) &&
             std::binary_search(members.begin() + node.from, members.begin() + node.to, x);
    case Mode::kLeaf: break;
  }
  return false;
}

std::span<const Forest::Weight> Forest::leaf_of(std::int64_t root,
                                                std::span<const double> x) const {
  const Node* node = &nodes[static_cast<std::size_t>(root)];
  while (node->mode != Mode::kLeaf) {
    const double value = x[static_cast<std::size_t>(node->feature)];
    const bool yes = std::isnan(value) && node->missing_is_true ? true : goes_true(*node, value);
    node = &nodes[static_cast<std::size_t>(yes ? node->on_true : node->on_false)];
  }
  return std::span(weights).subspan(static_cast<std::size_t>(node->from),
                                    static_cast<std::size_t>(node->to - node->from));
}

Status Forest::check() const {
  const auto count = static_cast<std::int64_t>(nodes.size());
  if (roots.empty()) return Error::invalid("tree_roots, got no trees");
  for (const Node& node : nodes) {
    if (node.mode == Mode::kLeaf) continue;
    if (node.feature < 0) {
      return Error::invalid("nodes_featureids, got " + text(node.feature) + ", wanted 0 or more");
    }
    for (const std::int64_t next : {node.on_true, node.on_false}) {
      if (next < 0 || next >= count) {
        return Error::invalid("node, got " + text(next) + ", wanted 0 to " + text(count - 1));
      }
    }
  }
  // Nodes that a walk has come to and not left; coming to such a one again goes round forever.
  enum class Seen : std::uint8_t { kNever, kInside, kLeft };
  std::vector<Seen> seen(nodes.size(), Seen::kNever);
  std::vector<std::int64_t> path;
  for (const std::int64_t root : roots) {
    if (root < 0 || root >= count) {
      return Error::invalid("tree_roots, got " + text(root) + ", wanted 0 to " + text(count - 1));
    }
    path.push_back(root);
    while (!path.empty()) {
      const auto at = static_cast<std::size_t>(path.back());
      if (seen[at] != Seen::kNever || nodes[at].mode == Mode::kLeaf) {
        if (seen[at] == Seen::kNever || seen[at] == Seen::kInside) seen[at] = Seen::kLeft;
        path.pop_back();
        continue;
      }
      seen[at] = Seen::kInside;
      for (const std::int64_t next : {nodes[at].on_true, nodes[at].on_false}) {
        const Seen state = seen[static_cast<std::size_t>(next)];
        if (state == Seen::kInside) {
          return Error::invalid("tree, got a node that is below itself");
        }
        if (state == Seen::kNever) path.push_back(next);
      }
    }
  }
  return Status::success();
}

std::int64_t Forest::features_min() const {
  std::int64_t most = -1;
  for (const Node& node : nodes) {
    if (node.mode != Mode::kLeaf) most = std::max(most, node.feature);
  }
  return most == INT64_MAX ? most : most + 1;
}

void TreeNodesAttrs::visit(AttrVisitor& v) {
  v.field("nodes_falsenodeids", falsenodeids);
  v.field("nodes_featureids", featureids);
  v.field("nodes_hitrates", hitrates);
  v.field("nodes_hitrates_as_tensor", hitrates_as_tensor);
  v.field("nodes_missing_value_tracks_true", missing_value_tracks_true);
  v.field("nodes_modes", modes);
  v.field("nodes_nodeids", nodeids);
  v.field("nodes_treeids", treeids);
  v.field("nodes_truenodeids", truenodeids);
  v.field("nodes_values", values);
  v.field("nodes_values_as_tensor", values_as_tensor);
}

Result<std::vector<double>> tree_numbers(std::string_view name, const std::vector<float>& list,
                                         const Tensor& tensor) {
  if (!tensor) return std::vector<double>(list.begin(), list.end());
  if (!list.empty()) return Error::invalid(std::string(name) + ", got a list and a tensor");
  const DType dtype = tensor.dtype();
  if (dtype != DType::kF32 && dtype != DType::kF64 && dtype != DType::kF16) {
    return Error::invalid(std::string(name) + ", got " + tensor.type().to_string() +
                          ", wanted floats");
  }
  std::vector<double> out(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = element_as_f64(tensor, static_cast<std::int64_t>(i));
  }
  return out;
}

Result<Forest> make_forest(const TreeNodesAttrs& nodes, const TreeWeightsAttrs& leaves,
                           std::string_view stem, std::int64_t targets) {
  const std::string name(stem);
  const auto values = tree_numbers("nodes_values", nodes.values, nodes.values_as_tensor);
  if (!values) return values.error();
  const auto weights = tree_numbers(name + "_weights", leaves.weights, leaves.weights_as_tensor);
  if (!weights) return weights.error();
  if (auto s = check_sizes(nodes, leaves, name, values->size(), weights->size()); !s) {
    return s.error();
  }
  const NodeIndex index(nodes);
  if (auto s = index.check_unique(); !s) return s.error();
  Forest forest;
  if (auto s = add_nodes(nodes, *values, index, forest); !s) return s.error();
  if (auto s = add_weights(leaves, *weights, index, name, targets, forest); !s) return s.error();
  forest.roots = index.roots();
  if (auto s = forest.check(); !s) return s.error();
  return forest;
}

Status check_tree_features(const InferContext& c, const Forest& forest) {
  const std::int64_t features = c.in(0).shape.back();
  if (!is_static_dim(features) || features >= forest.features_min()) return Status::success();
  return c.fail("nodes_featureids, got " + text(forest.features_min() - 1) + ", wanted 0 to " +
                text(features - 1));
}

void aggregate_trees(const Forest& forest, TreeAggregate how, std::span<const double> x,
                     std::span<double> out, std::vector<bool>& met) {
  std::fill(out.begin(), out.end(), 0.0);
  met.assign(out.size(), false);
  for (const std::int64_t root : forest.roots) {
    for (const Forest::Weight& weight : forest.leaf_of(root, x)) {
      const auto target = static_cast<std::size_t>(weight.target);
      out[target] = met[target] ? merge(how, out[target], weight.value) : weight.value;
      met[target] = true;
    }
  }
  if (how != TreeAggregate::kAverage) return;
  for (double& value : out) value /= static_cast<double>(forest.roots.size());
}

}  // namespace polaris
