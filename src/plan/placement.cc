#include "plan/placement.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "plan/place_items.h"

namespace polaris {
namespace {

// A node counts at least this much of a share, so that graphs without weights are split by nodes.
constexpr std::int64_t kNodeFloorBytes = 256;
// What a device holds beside weights and values: kernels' parameters, padding of packed rows.
constexpr double kUsable = 0.97;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

/// Cuts the nodes, in order, into one run per device.
class Runs {
 public:
  Runs(std::span<const PlaceItem> items, std::span<Device* const> devices,
       const PlaceOptions& options)
      : items_(items), devices_(devices), options_(options), costs_(devices.size()) {
    for (std::size_t d = 0; d < devices.size(); ++d) {
      const bool limited = d < options.capacity_bytes.size();
      capacity_.push_back(limited ? static_cast<std::int64_t>(
                                        static_cast<double>(options.capacity_bytes[d]) * kUsable)
                                  : kUnlimited);
    }
  }

  /// The device of each item.
  std::vector<DeviceIndex> cut() {
    const auto spread = static_cast<std::size_t>(options_.spread);
    constexpr double no_limit = std::numeric_limits<double>::infinity();
    std::vector<DeviceIndex> out;
    if (fill(spread, no_limit, out)) {
      return spread > 1 && options_.shares.empty() ? balance(spread) : out;
    }
    // More than those asked for hold: the others take the rest.
    if (fill(devices_.size(), no_limit, out)) return out;
    // More than all hold: the last takes the rest, and loading will say what is missing.
    fill(devices_.size(), no_limit, out, /*spill=*/true);
    return out;
  }

  const PlaceCost& cost(std::size_t item, std::size_t device) {
    auto& row = costs_[device];
    if (row.empty()) {
      row.reserve(items_.size());
      for (const PlaceItem& each : items_) row.push_back(cost_on(each, *devices_[device]));
    }
    return row[item];
  }

 private:
  /// The cut whose longest run is the shortest: devices at work on successive inputs wait least.
  std::vector<DeviceIndex> balance(std::size_t devices) {
    constexpr int kHalvings = 40;
    double low = 0;
    double high = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      double most = 0;
      for (std::size_t d = 0; d < devices; ++d) most = std::max(most, cost(i, d).us);
      high += most;
    }
    std::vector<DeviceIndex> out;
    std::vector<DeviceIndex> best;
    (void)fill(devices, std::numeric_limits<double>::infinity(), best);
    for (int n = 0; n < kHalvings; ++n) {
      const double middle = (low + high) / 2;
      if (fill(devices, middle, out)) {
        best = out;
        high = middle;
      } else {
        low = middle;
      }
    }
    return best;
  }

  /// Gives each device what comes next until its time, its share or its memory is used up. False
  /// where something is left over; with `spill` the last device takes that.
  bool fill(std::size_t devices, double us_max, std::vector<DeviceIndex>& out, bool spill = false) {
    out.clear();
    std::size_t d = 0;
    double us = 0;
    std::int64_t lasting = 0;  // weights and states
    std::int64_t live = 0;
    double shared = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const PlaceItem& item = items_[i];
      const double part = share_of(item);
      for (;; ++d, us = 0, lasting = 0, live = 0) {
        if (d == devices) return false;
        const PlaceCost& cost = this->cost(i, d);
        const std::int64_t more = item.state_bytes + (cost.refused ? 0 : cost.weight_bytes);
        const std::int64_t most = std::max(live, item.live_bytes + cost.workspace_bytes);
        const bool last = spill && d + 1 == devices;
        const bool fits = last || lasting + more + most <= capacity_[d];
        const bool in_time = us + cost.us <= us_max;
        if (!fits || !in_time || (past_share(d, shared + part / 2) && d + 1 < devices)) continue;
        us += cost.us;
        lasting += more;
        live = most;
        break;
      }
      shared += part;
      out.push_back(static_cast<DeviceIndex>(d));
    }
    return true;
  }

  double share_of(const PlaceItem& item) const {
    return static_cast<double>(item.weight_bytes + kNodeFloorBytes);
  }

  /// Whether a node whose middle is at `at` of all weights belongs after device `d`.
  bool past_share(std::size_t d, double at) {
    if (options_.shares.empty() || d >= static_cast<std::size_t>(options_.spread)) return false;
    if (share_ends_.empty()) {
      double total = 0;
      double bytes = 0;
      for (std::size_t s = 0; s < static_cast<std::size_t>(options_.spread); ++s) {
        total += s < options_.shares.size() ? options_.shares[s] : 0.0;
        share_ends_.push_back(total);
      }
      for (const PlaceItem& item : items_) bytes += share_of(item);
      for (double& end : share_ends_) end *= bytes / total;
    }
    return d + 1 < static_cast<std::size_t>(options_.spread) && at > share_ends_[d];
  }

  std::span<const PlaceItem> items_;
  std::span<Device* const> devices_;
  const PlaceOptions& options_;
  std::vector<std::vector<PlaceCost>> costs_;  // by device, once asked for
  std::vector<std::int64_t> capacity_;
  std::vector<double> share_ends_;
};

/// The device of each item of a decoder that is dealt by layers; empty where it is not.
std::vector<DeviceIndex> by_layers(const Graph& graph, std::span<const PlaceItem> items,
                                   const PlaceOptions& options) {
  if (!options.layers || options.decoder == nullptr) return {};
  const auto sections = find_sections(graph, *options.decoder);
  if (!sections) return {};
  const std::vector<DeviceIndex> devices = options.layers->devices(*sections);
  IdVector<NodeId, std::size_t> position(graph.node_count());
  for (std::size_t p = 0; p < graph.order().size(); ++p) position[graph.order()[p]] = p;
  std::vector<DeviceIndex> out(items.size());
  // Nodes of subgraphs come before the node that runs them.
  DeviceIndex device = options.layers->head;
  for (std::size_t i = items.size(); i-- > 0;) {
    if (items[i].graph == &graph) device = devices[sections->section_of(position[items[i].node])];
    out[i] = device;
  }
  return out;
}

/// QuantizeLinear and DequantizeLinear are there to be fused: whether a device runs them alone says
/// little. What fusing leaves of them the planner gives to a device that runs it.
bool is_to_be_fused(const OpDef& op) {
  return op.is("QuantizeLinear") || op.is("DequantizeLinear");
}

/// The first device that has a kernel for a node whose own has none.
DeviceIndex capable(Runs& runs, std::size_t item, DeviceIndex wanted, std::size_t devices) {
  if (!runs.cost(item, static_cast<std::size_t>(wanted)).refused) return wanted;
  for (std::size_t d = 0; d < devices; ++d) {
    const PlaceCost& cost = runs.cost(item, d);
    if (cost.asked && !cost.refused) return static_cast<DeviceIndex>(d);
  }
  return wanted;
}

/// A state's first reader decides where it lives; the ops that write it in place follow it.
void pin_states(const Graph& graph, Placement& out) {
  std::map<ValueId, std::size_t> state_values;
  for (std::size_t s = 0; s < graph.states().size(); ++s) state_values[graph.states()[s].read] = s;
  if (state_values.empty()) return;
  std::set<std::size_t> placed;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    auto& device = out.node[id];
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
}

}  // namespace

void place_graph(Graph& graph, std::span<Device* const> devices, const PlaceOptions& options) {
  const std::vector<PlaceItem> items = place_items(graph, options.cached_tokens);
  if (devices.size() == 1) {
    for (const PlaceItem& item : items) item.graph->node(item.node).device = 0;
    return;
  }
  Runs runs(items, devices, options);
  std::vector<DeviceIndex> wanted = by_layers(graph, items, options);
  if (wanted.size() != items.size()) wanted = runs.cut();
  for (std::size_t i = 0; i < items.size(); ++i) {
    Node& node = items[i].graph->node(items[i].node);
    const bool stays = is_to_be_fused(*node.op) || node.op->is_control();
    node.device = stays ? wanted[i] : capable(runs, i, wanted[i], devices.size());
  }
  const Placement pinned = placement_of(graph);
  for (const PlaceItem& item : items) {
    if (item.graph != &graph) continue;
    graph.node(item.node).device = pinned.node[item.node];
  }
}

Placement placement_of(const Graph& graph) {
  Placement out;
  out.node.assign(graph.node_count(), 0);
  out.state.assign(graph.states().size(), 0);
  IdVector<ValueId, DeviceIndex> reader(graph.value_count());  // device of the first that reads it
  for (auto at = graph.order().rbegin(); at != graph.order().rend(); ++at) {
    const Node& node = graph.node(*at);
    DeviceIndex& device = out.node[*at];
    device = node.device;
    if (device < 0) {
      device = 0;
      for (ValueId output : node.outputs) {
        if (output.valid()) device = reader[output];
      }
    }
    for (ValueId input : node.inputs) {
      if (input.valid()) reader[input] = device;
    }
  }
  pin_states(graph, out);
  return out;
}

}  // namespace polaris
