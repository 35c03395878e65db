#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ir/decoder_contract.h"
#include "ir/graph.h"
#include "plan/decoder_sections.h"
#include "plan/plan.h"

namespace polaris {

/// Which device each node should run on, decided once per graph so that weights and states do not
/// wander between plans. A node that its device cannot run goes to the next of the list.
struct Placement {
  IdVector<NodeId, DeviceIndex> node;
  std::vector<DeviceIndex> state;  // by state index
};

struct PlaceOptions {
  /// The first `spread` devices share the work; those after them take what these cannot run and
  /// what does not fit them.
  DeviceIndex spread = 1;
  /// Part of the weights for each of the first devices; empty: so that all are done in equal time.
  std::vector<double> shares;
  /// What each device may hold of weights, states and working memory; empty: whatever comes.
  std::vector<std::int64_t> capacity_bytes;
  /// Paged states hold so many tokens.
  std::int64_t cached_tokens = 0;
  /// A decoder's sections go where this says, whatever they take, where its layers can be told.
  std::optional<LayerSplit> layers;
  const DecoderContract* decoder = nullptr;
};

/// Places the nodes of a graph and its subgraphs (Node::device). The nodes, in order, become one
/// run per device, cut where a share, or else the time that kernels are estimated to take, says so,
/// and never beyond what fits. Then nodes that their device has no kernel for go to the first that
/// has one. What is computed from constants alone is not placed: it goes with its readers. It comes
/// before nodes are fused, which then happens within one device.
void place_graph(Graph& graph, std::span<Device* const> devices, const PlaceOptions& options);

/// What Node::device says, for every node and state: a node that is not placed goes with its first
/// reader, a state with its first reader, and with the state all nodes that write it in place.
Placement placement_of(const Graph& graph);

}  // namespace polaris
