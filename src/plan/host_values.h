#pragma once
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// Planning must know the data of this value, because it feeds a kHostRead port
/// directly or through foldable ops. Computed once per graph, backwards.
ValueFlags host_needed_values(const Graph& graph);

/// What the host computes of data before a stage is planned, so that plans need not be made for
/// each value that a loop's counter takes.
struct HostArithmetic {
  /// Planning sees the data, so there is a plan for each: it stands in a port that is
  /// read on the host, of a node that a device runs. Other host values are uploaded as they come.
  ValueFlags planned;
  /// Positions in the graph's order of the nodes to evaluate where their inputs are known; with
  /// those whose results they need.
  std::vector<std::size_t> nodes;
};
HostArithmetic host_arithmetic(const Graph& graph, const ValueFlags& host_needed);

/// Range and its like: every input is read on the host, so no device runs the node.
bool reads_all_on_host(const Node& node);

/// Whether planning, or the host before it, evaluates the node instead of launching it: its inputs'
/// types and data are as `infer` has them (null data: not known), its outputs inferred.
bool folds_on_host(const OpDef& op, const InferContext& infer);
/// Evaluates such a node.
Result<std::vector<Tensor>> fold_on_host(const Node& node, const InferContext& infer);

/// Position in the graph's order of the last node that reads each value; order().size() for graph
/// outputs and state updates; -1 where nobody does.
using LastReaders = IdVector<ValueId, std::int64_t>;
LastReaders last_readers(const Graph& graph);

}  // namespace polaris
