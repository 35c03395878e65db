#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "ir/graph.h"

namespace polaris {

/// What a node is to one device.
struct PlaceCost {
  bool asked = false;    // else its types leave open whether the device runs it
  bool refused = false;  // the device has no kernel for it
  double us = 0;         // a kernel's estimate; of its weights where it could not be asked
  std::int64_t weight_bytes = 0;
  std::int64_t workspace_bytes = 0;
};

/// A node as placement weighs it. Nodes of subgraphs stand before the node that holds them.
struct PlaceItem {
  Graph* graph = nullptr;
  NodeId node;
  /// Inputs whose constants nobody before it reads.
  std::vector<std::int32_t> weights;
  /// In the file: of those, and of what is computed from constants alone and first read here.
  std::int64_t weight_bytes = 0;
  std::int64_t state_bytes = 0;  // of states that nobody before it reads
  std::int64_t live_bytes = 0;   // of its graph's values while it runs, dims at their bounds
};

/// The nodes of the graph and its subgraphs, but for those computed from constants alone: they come
/// with their readers. Paged states hold `cached_tokens`.
std::vector<PlaceItem> place_items(Graph& graph, std::int64_t cached_tokens);

PlaceCost cost_on(const PlaceItem& item, const Device& device);

/// A state's bytes where it is paged and holds so many tokens; dims at their bounds.
std::int64_t state_bytes(const Graph& graph, const State& state, std::int64_t cached_tokens);

}  // namespace polaris
