#pragma once
#include "ir/graph.h"

namespace polaris {

struct VerifyOptions {
  /// Infer every type anew and compare; the costly part.
  bool types = true;
};

/// Whether the graph keeps the promises that passes, planner and executor rely on: arity, order
/// (a value is defined before it is read, and in its own graph), types, encoded values only where
/// kAcceptsEncoded, whole constants, states, subgraph signatures, distinct names of inputs, outputs
/// and states. Errors: invalid, naming the node, what it got and what was wanted.
Status verify_graph(const Graph& graph, const VerifyOptions& options = {});

}  // namespace polaris
