#include "plan/decoder_sections.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ir/bounds.h"
#include "plan/host_values.h"
#include "plan/place_items.h"
#include "plan/state_chain.h"

namespace polaris {
namespace {

/// Where in the order the nodes stand that read or write the cache of one layer.
struct CacheUse {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// By state: whether it holds keys or values of the text itself.
std::vector<bool> own_caches(const Graph& graph, const DecoderContract& contract) {
  std::vector<bool> out;
  for (const StateUse& use : graph.states()) {
    const CacheGroup* group = contract.group_of(use.state->name);
    out.push_back(use.state->paged && group != nullptr && !group->cross);
  }
  return out;
}

/// The layers' caches in order; states that one node reads together are of one layer. Nothing where
/// two layers are entangled.
std::vector<CacheUse> cache_uses(const Graph& graph, const DecoderContract& contract) {
  const std::vector<bool> own = own_caches(graph, contract);
  const IdVector<ValueId, std::int32_t> chains = state_chains(graph);
  std::vector<CacheUse> uses;
  std::map<std::int32_t, std::size_t> layer_of;  // by state
  for (std::size_t p = 0; p < graph.order().size(); ++p) {
    std::vector<std::int32_t> states;
    for (ValueId input : graph.node(graph.order()[p]).inputs) {
      const std::int32_t state = input.valid() ? chains[input] : -1;
      if (state >= 0 && own[static_cast<std::size_t>(state)]) states.push_back(state);
    }
    if (states.empty()) continue;
    std::size_t layer = uses.size();
    for (const std::int32_t state : states) {
      const auto known = layer_of.find(state);
      if (known != layer_of.end()) layer = std::min(layer, known->second);
    }
    for (const std::int32_t state : states) layer_of[state] = layer;
    if (layer == uses.size()) uses.push_back({p, p});
    uses[layer].last = p;
  }
  // Keys and values that are written by two nodes are joined where they are read.
  std::map<std::size_t, CacheUse> joined;
  for (const auto& [state, layer] : layer_of) joined[layer] = uses[layer];
  std::vector<CacheUse> out;
  for (const auto& [layer, use] : joined) {
    if (!out.empty() && use.first <= out.back().last) return {};
    out.push_back(use);
  }
  return out;
}

/// By position: bytes that nodes before it made and nodes from it on read; states, constants and
/// inputs are at hand on any device.
std::vector<std::int64_t> crossing_bytes(const Graph& graph) {
  const LastReaders last = last_readers(graph);
  const IdVector<ValueId, std::int32_t> chains = state_chains(graph);
  const std::size_t count = graph.order().size();
  std::vector<std::int64_t> change(count + 2, 0);
  for (std::size_t p = 0; p < count; ++p) {
    for (ValueId id : graph.node(graph.order()[p]).outputs) {
      if (!id.valid() || chains[id] >= 0 || last[id] <= static_cast<std::int64_t>(p)) continue;
      const std::int64_t bytes = at_bounds(graph, graph.value(id).type).bytes().value_or(0);
      change[p + 1] += bytes;
      change[std::min(static_cast<std::size_t>(last[id]), count) + 1] -= bytes;
    }
  }
  std::int64_t sum = 0;
  for (std::int64_t& bytes : change) bytes = sum += bytes;
  return change;
}

/// The last position in [begin, end] with the fewest bytes, but some.
std::optional<std::size_t> least(const std::vector<std::int64_t>& bytes, std::size_t begin,
                                 std::size_t end) {
  std::optional<std::size_t> best;
  for (std::size_t p = begin; p <= end; ++p) {
    if (bytes[p] > 0 && (!best || bytes[p] <= bytes[*best])) best = p;
  }
  return best;
}

/// Where the first node stands that reads a value.
std::size_t first_reader(const Graph& graph, ValueId value) {
  for (std::size_t p = 0; p < graph.order().size(); ++p) {
    const auto& inputs = graph.node(graph.order()[p]).inputs;
    if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) return p;
  }
  return graph.order().size();
}

}  // namespace

std::size_t DecoderSections::section_of(std::size_t position) const {
  if (position >= head_begin) return layer_begin.size() + 1;
  const auto after = std::upper_bound(layer_begin.begin(), layer_begin.end(), position);
  return static_cast<std::size_t>(after - layer_begin.begin());
}

std::vector<DeviceIndex> LayerSplit::devices(const DecoderSections& sections) const {
  std::vector<DeviceIndex> out = {embedding};
  for (std::size_t d = 0; d < layers.size(); ++d) {
    for (std::int64_t i = 0; i < layers[d] && out.size() <= sections.layer_begin.size(); ++i) {
      out.push_back(static_cast<DeviceIndex>(d));
    }
  }
  out.resize(sections.layer_begin.size() + 2, head);
  return out;
}

std::optional<DecoderSections> find_sections(const Graph& graph, const DecoderContract& contract) {
  const std::vector<CacheUse> uses = cache_uses(graph, contract);
  if (uses.empty() || contract.logit_rows >= graph.inputs().size() ||
      contract.tokens >= graph.inputs().size())
    return std::nullopt;
  const std::vector<std::int64_t> bytes = crossing_bytes(graph);
  DecoderSections out;
  // Before the ids are read there is no hidden state.
  std::size_t begin = first_reader(graph, graph.inputs()[contract.tokens]) + 1;
  for (const CacheUse& use : uses) {
    const auto cut = least(bytes, begin, use.first);
    if (!cut) return std::nullopt;
    out.layer_begin.push_back(*cut);
    begin = use.last + 1;
  }
  const std::size_t rows = first_reader(graph, graph.inputs()[contract.logit_rows]);
  const auto cut = least(bytes, begin, std::min(rows, graph.order().size() - 1));
  if (!cut) return std::nullopt;
  out.head_begin = *cut;
  return out;
}

std::vector<double> section_times(Graph& graph, const DecoderSections& sections,
                                  const Device& device) {
  std::vector<double> out(sections.layer_begin.size() + 2, 0);
  IdVector<NodeId, std::size_t> position(graph.node_count());
  for (std::size_t p = 0; p < graph.order().size(); ++p) position[graph.order()[p]] = p;
  for (const PlaceItem& item : place_items(graph, 1)) {
    if (item.graph != &graph) continue;
    out[sections.section_of(position[item.node])] += cost_on(item, device).us;
  }
  return out;
}

}  // namespace polaris
