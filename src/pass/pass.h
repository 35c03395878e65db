#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/op_set.h"

namespace polaris {

/// What passes know of the devices a graph will run on. The session makes one from its devices;
/// the default is a host that runs every op and knows no fused chains.
struct Target {
  /// Whether some device has a kernel for a node of these types (static, or with symbols at their
  /// bounds); empty: yes.
  std::function<bool(const NodeTypes& node)> supports;
  /// Largest operand of one kernel; larger constants are split.
  std::int64_t binding_bytes_max = std::numeric_limits<std::int64_t>::max();
  /// Whether polaris.Chain runs as one kernel, so that fusing pays.
  bool fuses_chains = false;

  bool runs(const NodeTypes& node) const { return !supports || supports(node); }
};

/// One rewrite of a graph. It works on one graph; the runner takes it through the subgraphs.
/// What it builds is inferred; it keeps the order topological and the graph's inputs, outputs and
/// states as they are. Returns whether anything changed.
struct Pass {
  std::string_view name;
  std::string_view doc;
  Result<bool> (*run)(Graph& graph, const Target& target, const OpSet& ops);
};

}  // namespace polaris
