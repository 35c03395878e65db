#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/op_def.h"
#include "ir/op_util/infer.h"

/// Decision trees as the TreeEnsemble operators of ai.onnx.ml walk them.
namespace polaris {

class Forest {
 public:
  // In the order of the numbers that TreeEnsemble has for them.
  enum class Mode : std::uint8_t { kLeq, kLt, kGte, kGt, kEq, kNeq, kMember, kLeaf };
  struct Weight {
    std::int64_t target = 0;
    double value = 0;
  };
  struct Node {
    Mode mode = Mode::kLeaf;
    bool missing_is_true = false;  // where NaN goes
    std::int64_t feature = 0;
    double value = 0;
    std::int64_t on_true = 0;
    std::int64_t on_false = 0;
    // kLeaf: of `weights`; kMember: of `members`, in order.
    std::int64_t from = 0;
    std::int64_t to = 0;
  };

  std::vector<Node> nodes;
  std::vector<Weight> weights;
  std::vector<double> members;
  std::vector<std::int64_t> roots;

  /// The weights of the leaf that a row comes to.
  std::span<const Weight> leaf_of(std::int64_t root, std::span<const double> x) const;
  /// Every node's place is one of the nodes', and no walk comes to a node twice. Errors: invalid,
  /// without a prefix.
  Status check() const;
  /// The least number of features that rows must have.
  std::int64_t features_min() const;

 private:
  bool goes_true(const Node& node, double x) const;
};

/// The attributes that say the nodes of TreeEnsembleClassifier and TreeEnsembleRegressor. A node is
/// known by its tree's number and its own; the first of each tree is its root.
struct TreeNodesAttrs {
  std::vector<std::int64_t> falsenodeids;
  std::vector<std::int64_t> featureids;
  std::vector<float> hitrates;  // how often each is met: nothing depends on it
  Tensor hitrates_as_tensor;
  std::vector<std::int64_t> missing_value_tracks_true;
  std::vector<std::string> modes;
  std::vector<std::int64_t> nodeids;
  std::vector<std::int64_t> treeids;
  std::vector<std::int64_t> truenodeids;
  std::vector<float> values;
  Tensor values_as_tensor;

  void visit(AttrVisitor& v);
};

/// What leaves hold: weight i belongs to the node of treeids[i] and nodeids[i].
struct TreeWeightsAttrs {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> nodeids;
  std::vector<std::int64_t> treeids;
  std::vector<float> weights;
  Tensor weights_as_tensor;
};

/// Numbers that stand in a list or in a tensor of floats. Errors: invalid, without a prefix, where
/// both are there or the tensor holds something else.
Result<std::vector<double>> tree_numbers(std::string_view name, const std::vector<float>& list,
                                         const Tensor& tensor);
/// Errors: invalid, without a prefix, wherever lists do not fit each other; `stem` is "target" or
/// "class", and targets lie in [0, targets).
Result<Forest> make_forest(const TreeNodesAttrs& nodes, const TreeWeightsAttrs& leaves,
                           std::string_view stem, std::int64_t targets);

/// Rows of input 0 have every feature that nodes ask for.
Status check_tree_features(const InferContext& c, const Forest& forest);

enum class TreeAggregate : std::uint8_t { kAverage, kSum, kMin, kMax };

/// Sums, means, minima or maxima of what the trees' leaves say of each target of a row; 0 where no
/// leaf says anything. `met` tells of which some does.
void aggregate_trees(const Forest& forest, TreeAggregate how, std::span<const double> x,
                     std::span<double> out, std::vector<bool>& met);

}  // namespace polaris
