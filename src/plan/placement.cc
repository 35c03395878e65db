#include "plan/placement.h"

#include <algorithm>
#include <map>
#include <set>

namespace polaris {
namespace {

// A node costs at least this much, so that graphs without weights are split by node count.
constexpr double kNodeFloorBytes = 256;

double node_weight(const Graph& graph, const Node& node, std::set<const Constant*>& seen) {
  double bytes = kNodeFloorBytes;
  for (ValueId input : node.inputs) {
    if (!input.valid()) continue;
    const auto& constant = graph.value(input).constant;
    if (constant && seen.insert(constant.get()).second) {
      bytes += static_cast<double>(constant->data.bytes().size());
    }
  }
  for (const auto& subgraph : node.subgraphs) {
    for (NodeId inner : subgraph->order()) {
      bytes += node_weight(*subgraph, subgraph->node(inner), seen);
    }
  }
  return bytes;
}

/// End of each device's share as a fraction of the whole.
std::vector<double> share_ends(DeviceIndex spread, std::span<const double> shares) {
  std::vector<double> ends(static_cast<std::size_t>(spread));
  double total = 0;
  for (std::size_t d = 0; d < ends.size(); ++d) {
    total += d < shares.size() ? shares[d] : 1.0;
    ends[d] = total;
  }
  for (double& end : ends) end /= total;
  return ends;
}

}  // namespace

Placement place_graph(const Graph& graph, DeviceIndex spread, std::span<const double> shares) {
  Placement out;
  out.node.assign(graph.node_count(), 0);
  out.state.assign(graph.states().size(), 0);
  if (spread > 1) {
    std::set<const Constant*> seen;
    std::vector<double> costs;
    double total = 0;
    for (NodeId id : graph.order()) {
      costs.push_back(node_weight(graph, graph.node(id), seen));
      total += costs.back();
    }
    const std::vector<double> ends = share_ends(spread, shares);
    double done = 0;
    DeviceIndex device = 0;
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const double middle = (done + costs[i] / 2) / total;
      while (device + 1 < spread && middle > ends[static_cast<std::size_t>(device)]) ++device;
      out.node[static_cast<std::size_t>(graph.order()[i].index)] = device;
      done += costs[i];
    }
  }
  // A state's first reader decides where it lives; the ops that write it in place follow it.
  std::map<ValueId, std::size_t> state_values;
  for (std::size_t s = 0; s < graph.states().size(); ++s) state_values[graph.states()[s].read] = s;
  std::set<std::size_t> placed;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    auto& device = out.node[static_cast<std::size_t>(id.index)];
    bool pinned = false;
    for (ValueId input : node.inputs) {
      const auto at = state_values.find(input);
      if (at == state_values.end()) continue;
      if (placed.insert(at->second).second && !pinned) out.state[at->second] = device;
      if (!pinned) device = out.state[at->second];
      // Several states of one node (K and V) stand together.
      out.state[at->second] = device;
      pinned = true;
    }
    for (const InPlace& pair : node.op->inplace) {
      if (!pair.required) continue;
      const auto at = state_values.find(node.inputs[static_cast<std::size_t>(pair.input)]);
      const ValueId output = node.outputs[static_cast<std::size_t>(pair.output)];
      if (at != state_values.end() && output.valid()) state_values[output] = at->second;
    }
  }
  return out;
}

}  // namespace polaris
