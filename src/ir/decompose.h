#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"

namespace polaris {

/// What OpDef::decompose sees: the node, and a way to build plain nodes in front of it. The first
/// failure sticks; decompose() returns status().
class DecomposeContext {
 public:
  DecomposeContext(Graph& graph, NodeId node, const OpSet& ops, Insertions& insertions);

  template <class A>
  const A& as() const {
    return graph_.node(node_).attrs_as<A>();
  }
  int input_count() const { return static_cast<int>(graph_.node(node_).inputs.size()); }
  int output_count() const { return static_cast<int>(graph_.node(node_).outputs.size()); }
  /// Input i of the node; kNoValue where absent.
  ValueId input(int i) const;
  const TensorType& type(ValueId value) const { return graph_.value(value).type; }

  /// Adds a node of `op` (domain "" unless "domain.Name") and infers it. Returns its outputs, all
  /// kNoValue after a failure. Null attrs: the defaults.
  std::vector<ValueId> add(std::string_view op, std::vector<ValueId> inputs, int output_count,
                           std::unique_ptr<Attrs> attrs = nullptr);
  ValueId add(std::string_view op, std::vector<ValueId> inputs,
              std::unique_ptr<Attrs> attrs = nullptr);
  ValueId constant(Tensor tensor);
  /// What stands for the node's output i from now on.
  void set_output(int i, ValueId value);
  void fail(Error error);
  const Status& status() const { return status_; }

 private:
  friend Status decompose_nodes(Graph& graph, std::span<const NodeId> ids, const OpSet& ops);
  Graph& graph_;
  NodeId node_;
  const OpSet& ops_;
  int added_ = 0;
  Insertions& insertions_;
  std::vector<ValueId> outputs_;
  Status status_;
};

/// Replaces the nodes by the plain nodes that define them, in a few sweeps for all of them. Errors,
/// after which the graph is of no use: unsupported where an op has no decomposition, what a
/// decomposition found wrong.
Status decompose_nodes(Graph& graph, std::span<const NodeId> ids, const OpSet& ops);

}  // namespace polaris
