#pragma once
#include <algorithm>

#include "ir/graph.h"

namespace polaris {

/// Whether the executor runs the node on the host, by its definition: an operand or a result is a
/// string, a sequence or an optional. Control flow has a way of its own.
inline bool runs_on_host(const Graph& graph, const Node& node) {
  if (node.op->is_control()) return false;
  const auto host_only = [&](ValueId id) {
    return id.valid() && is_host_only(graph.value(id).type);
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), host_only) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), host_only) ||
         (node.op->reference == nullptr && node.op->host != nullptr);
}

}  // namespace polaris
