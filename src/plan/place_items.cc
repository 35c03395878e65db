#include "plan/place_items.h"

#include <algorithm>
#include <set>

#include "base/checked.h"
#include "ir/bounds.h"
#include "ir/evaluate.h"
#include "ir/host_only.h"
#include "plan/host_values.h"
#include "plan/layout_choice.h"

namespace polaris {
namespace {

// Software rasterizers are estimated by the model of a card.
constexpr double kSoftwareSlower = 50;
// Where a kernel cannot be asked: weights are read once, and a node is not free.
constexpr double kBytesPerUs = 1e4;
constexpr double kNodeUs = 1;

/// What is computed from constants alone, and how many bytes of constants.
IdVector<ValueId, std::int64_t> floating_bytes(const Graph& graph, ValueFlags& floating) {
  IdVector<ValueId, std::int64_t> bytes(graph.value_count());
  ValueFlags is_output(graph.value_count());
  for (ValueId id : graph.outputs()) is_output[id] = true;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    bool all = !node.inputs.empty() && node.op->has_trait(kFoldable) && node.subgraphs.empty();
    std::int64_t sum = 0;
    for (ValueId input : node.inputs) {
      if (!input.valid()) continue;
      const auto& constant = graph.value(input).constant;
      all = all && (constant || floating[input]);
      sum += constant ? static_cast<std::int64_t>(constant->data.bytes().size()) : bytes[input];
    }
    for (ValueId output : node.outputs) all = all && !(output.valid() && is_output[output]);
    if (!all) continue;
    for (ValueId output : node.outputs) {
      if (!output.valid()) continue;
      floating[output] = true;
      bytes[output] = std::exchange(sum, 0);
    }
  }
  return bytes;
}

/// Bytes of values alive at each position of the graph's order; those computed from constants are
/// weights.
std::vector<std::int64_t> live_bytes(const Graph& graph, const ValueFlags& floating) {
  const LastReaders last = last_readers(graph);
  std::vector<std::int64_t> change(graph.order().size() + 2, 0);
  const auto add = [&](ValueId id, std::size_t from) {
    const auto end = last[id];
    if (end < static_cast<std::int64_t>(from)) return;
    const std::int64_t bytes = at_bounds(graph, graph.value(id).type).bytes().value_or(0);
    change[from] += bytes;
    change[std::min(static_cast<std::size_t>(end) + 1, change.size() - 1)] -= bytes;
  };
  for (ValueId id : graph.inputs()) add(id, 0);
  for (std::size_t p = 0; p < graph.order().size(); ++p) {
    for (ValueId id : graph.node(graph.order()[p]).outputs) {
      if (id.valid() && !floating[id]) add(id, p);
    }
  }
  std::vector<std::int64_t> live;
  std::int64_t sum = 0;
  for (std::size_t p = 0; p < graph.order().size(); ++p) live.push_back(sum += change[p]);
  return live;
}

class Collector {
 public:
  explicit Collector(std::int64_t cached_tokens) : cached_tokens_(cached_tokens) {}

  void add_graph(Graph& graph) {
    if (!graphs_.insert(&graph).second) return;  // called before
    ValueFlags floating(graph.value_count());
    IdVector<ValueId, std::int64_t> computed = floating_bytes(graph, floating);
    const std::vector<std::int64_t> live = live_bytes(graph, floating);
    IdVector<ValueId, std::int64_t> states(graph.value_count());
    for (const StateUse& use : graph.states()) {
      if (use.read.valid()) states[use.read] = state_bytes(graph, *use.state, cached_tokens_);
    }
    for (std::size_t p = 0; p < graph.order().size(); ++p) {
      Node& node = graph.node(graph.order()[p]);
      node.device = -1;
      const bool is_floating = std::any_of(node.outputs.begin(), node.outputs.end(),
                                           [&](ValueId id) { return id.valid() && floating[id]; });
      if (is_floating || runs_on_host(graph, node)) continue;
      for (const auto& subgraph : node.subgraphs) add_graph(*subgraph);
      PlaceItem item;
      item.graph = &graph;
      item.node = graph.order()[p];
      item.live_bytes = live[p];
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        if (!input.valid()) continue;
        item.state_bytes += std::exchange(states[input], 0);
        item.weight_bytes += std::exchange(computed[input], 0);
        const auto& constant = graph.value(input).constant;
        if (!constant || !seen_.insert(constant.get()).second) continue;
        item.weights.push_back(static_cast<std::int32_t>(i));
        item.weight_bytes += static_cast<std::int64_t>(constant->data.bytes().size());
      }
      items.push_back(std::move(item));
    }
  }

  std::vector<PlaceItem> items;

 private:
  std::set<const Graph*> graphs_;
  std::set<const Constant*> seen_;
  std::int64_t cached_tokens_;
};

/// The device's kernel for a node with a size for every dim. Nothing where its types at their
/// bounds contradict each other, or hang on data.
std::optional<Result<std::shared_ptr<const Kernel>>> kernel_of(const Graph& graph, const Node& node,
                                                               const Device& device) {
  if (node.op->is_control() || runs_on_host(graph, node)) return std::nullopt;
  const SizedNode sized = at_bounds(graph, view_node(graph, node));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool host = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    if (host && node.inputs[i].valid() && sized.view.values[i] == nullptr) return std::nullopt;
  }
  auto inferred = infer_types(sized.view);
  if (!inferred) return std::nullopt;
  const bool data_dependent = node.op->has_trait(kDataDependent);
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (data_dependent) inferred->outputs[o].shape = inferred->bounds[o];
    if (!inferred->outputs[o].bytes()) return std::nullopt;
  }
  const OfferedNode offered(*inferred, wanted_outputs(node), [&](std::size_t i) {
    return InputHome{graph.value(node.inputs[i]).constant.get(), Layout::kRowMajor};
  });
  return device.select(Offer(offered, Layout::kRowMajor).desc());
}

}  // namespace

std::int64_t state_bytes(const Graph& graph, const State& state, std::int64_t cached_tokens) {
  TensorType type = at_bounds(graph, state.type);
  if (state.paged && type.shape.rank() >= 2) {  // [pages, tokens of a page, elements]
    type.shape[0] = std::max<std::int64_t>(ceil_div(cached_tokens, type.shape[1]), 1);
  }
  return type.bytes().value_or(0);
}

std::vector<PlaceItem> place_items(Graph& graph, std::int64_t cached_tokens) {
  Collector collector(cached_tokens);
  collector.add_graph(graph);
  return std::move(collector.items);
}

PlaceCost cost_on(const PlaceItem& item, const Device& device) {
  const Node& node = item.graph->node(item.node);
  PlaceCost out;
  out.weight_bytes = item.weight_bytes;
  out.us =
      node.subgraphs.empty() ? kNodeUs + static_cast<double>(item.weight_bytes) / kBytesPerUs : 0;
  const auto selected = kernel_of(*item.graph, node, device);
  if (!selected) return out;
  out.asked = true;
  out.refused = !selected->ok();
  if (out.refused) return out;
  const Kernel& kernel = ***selected;
  out.us = kernel.estimate_us * (device.info().software ? kSoftwareSlower : 1.0);
  out.workspace_bytes = kernel.workspace_bytes();
  for (std::int32_t i : item.weights) {
    if (kernel.absorbs(i) || kernel.weight_layout(i).empty()) continue;
    const auto& constant = item.graph->value(node.inputs[static_cast<std::size_t>(i)]).constant;
    out.weight_bytes +=
        kernel.packed_bytes(i) - static_cast<std::int64_t>(constant->data.bytes().size());
  }
  return out;
}

}  // namespace polaris
