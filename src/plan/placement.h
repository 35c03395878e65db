#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace polaris {

/// Which device each node should run on, decided once per graph so that weights and states do not
/// wander between plans. A node that its device cannot run goes to the next of the list.
struct Placement {
  std::vector<DeviceIndex> node;   // by NodeId
  std::vector<DeviceIndex> state;  // by state index
};

/// Splits the graph, in order, into runs of nodes over the first `spread` devices: each gets the
/// part of the weight bytes that `shares` gives it (equal where empty). Nodes without weights go
/// with their predecessors; all nodes of one state go to one device.
Placement place_graph(const Graph& graph, DeviceIndex spread, std::span<const double> shares);

}  // namespace polaris
