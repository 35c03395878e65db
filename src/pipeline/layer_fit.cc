#include "pipeline/layer_fit.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "ir/graph.h"
#include "pipeline/step_inputs.h"
#include "session/estimate_memory.h"

namespace polaris {
namespace {

// Buffers are aligned, and what is there for several plans is not shared to the last byte.
constexpr double kUsable = 0.98;
// As batchers have it: tables of short texts are no narrower.
constexpr std::int64_t kTableWidth = 64;

/// The bound of an input's dim, or `size` where that is less.
std::int64_t bounded(const Graph& graph, std::size_t input, int axis, std::int64_t size) {
  const std::int64_t dim = graph.value(graph.inputs()[input]).type.shape[axis];
  if (!is_symbol_dim(dim)) return is_static_dim(dim) ? dim : size;
  const Symbol& symbol = graph.symbols()[static_cast<std::size_t>(symbol_of(dim))];
  return symbol.kind == Symbol::Kind::kFree ? size : std::min(size, symbol.bound);
}

/// Plans ways of dealing.
class Fitter {
 public:
  Fitter(Runtime& runtime, const Model& model, const FitNeed& need, const FitOptions& options)
      : runtime_(runtime),
        graph_(*model.find("main")),
        contract_(*model.decoder),
        options_(options),
        pages_(pages_for(contract_.groups, need.cache)) {
    StepSizes sizes;
    sizes.tokens = bounded(graph_, contract_.tokens, 0, bucket_of(need.step_tokens, 1, INT64_MAX));
    sizes.rows = bounded(graph_, contract_.logit_rows, 0, bucket_of(need.logit_rows, 1, INT64_MAX));
    for (std::size_t g = 0; g < pages_.size(); ++g) {
      const std::size_t table = contract_.groups[g].block_table;
      const std::int64_t texts = std::max<std::int64_t>(need.cache.sequences, 1);
      sizes.sequences = bounded(graph_, table, 0, bucket_of(texts, 1, INT64_MAX));
      sizes.widths.push_back(
          bounded(graph_, table, 1, bucket_of(pages_[g] / texts, kTableWidth, INT64_MAX)));
    }
    types_ = step_types(contract_, sizes);
    for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
      const auto at = static_cast<std::size_t>(d);
      capacity_.push_back(at < options.capacity_bytes.size() ? options.capacity_bytes[at]
                                                             : capacity_of(runtime, d));
    }
  }

  Result<std::optional<LayerFit>> run() {
    if (!find_rest()) return std::optional<LayerFit>();
    Graph typed = graph_.clone();
    if (auto status = infer_graph(typed); !status) return status.error();
    const auto sections = find_sections(typed, contract_);
    if (!sections) return std::optional<LayerFit>();
    layers_ = sections->layers();
    cards_ = static_cast<std::size_t>(runtime_.spread());
    for (std::size_t d = 0; d < cards_; ++d) {
      Device& card = runtime_.device(static_cast<DeviceIndex>(d));
      times_.push_back(section_times(typed, *sections, card));
    }
    auto fit = options_.layers ? dealt(*options_.layers) : most();
    if (!fit) return fit.error();
    return std::optional<LayerFit>(fit.take());
  }

 private:
  /// The device that takes what the cards do not.
  bool find_rest() {
    for (DeviceIndex d = runtime_.spread(); d < runtime_.device_count(); ++d) {
      if (!runtime_.device(d).info().host_memory) continue;
      rest_ = d;
      return true;
    }
    return false;
  }

  /// Units are the layers and the head behind them.
  std::int64_t units() const { return layers_ + 1; }

  LayerSplit split_of(const std::vector<std::int64_t>& counts, bool whole) const {
    LayerSplit out;
    out.layers.assign(static_cast<std::size_t>(runtime_.device_count()), 0);
    out.embedding = whole ? 0 : rest_;
    out.head = rest_;
    std::int64_t dealt = 0;
    for (std::size_t d = 0; d < counts.size(); ++d) {
      out.layers[d] = std::min(counts[d], layers_ - dealt);
      if (dealt < units() && dealt + counts[d] >= units()) out.head = static_cast<DeviceIndex>(d);
      dealt += counts[d];
    }
    return out;
  }

  Result<LayerFit> plan(const std::vector<std::int64_t>& counts, bool whole) {
    LayerFit out;
    out.split = split_of(counts, whole);
    out.layers = layers_;
    for (std::size_t d = 0; d < cards_; ++d) out.card_layers += out.split.layers[d];
    out.whole = whole;
    ProgramOptions program = options_.program;
    program.layers = out.split;
    DecoderPlan decoder{&contract_, [&](const State& state) { return pages_of(state); }};
    auto planned = plan_ahead(runtime_, graph_, types_, decoder, program);
    if (!planned) return planned.error();
    out.memory = memory_of(runtime_, *planned);
    out.fits = true;
    for (std::size_t d = 0; d < out.memory.size(); ++d) {
      out.memory[d].budget_bytes = capacity_[d];
      out.fits = out.fits && within(out.memory[d]);
    }
    return out;
  }

  static bool within(const MemoryUse& use) {
    const std::int64_t bytes = use.weight_bytes + use.arena_bytes + use.state_bytes;
    const double most = static_cast<double>(use.budget_bytes) * kUsable;
    return bytes == 0 || static_cast<double>(bytes) <= most;
  }

  std::int64_t pages_of(const State& state) const {
    for (std::size_t g = 0; g < pages_.size(); ++g) {
      if (&contract_.groups[g] == contract_.group_of(state.name)) return pages_[g];
    }
    return 1;
  }

  /// So many units on the cards.
  Result<LayerFit> dealt(std::int64_t count) {
    const std::vector<std::int64_t> most(cards_, units());
    if (count > layers_) {
      auto whole = plan(balanced(units(), most), true);
      if (!whole || whole->fits) return whole;
    }
    return plan(balanced(std::clamp<std::int64_t>(count, 0, units()), most), false);
  }

  Result<LayerFit> most() {
    auto whole = plan(balanced(units(), std::vector<std::int64_t>(cards_, units())), true);
    if (!whole || whole->fits) return whole;
    // The cards one after the other take what they have room for.
    std::vector<std::int64_t> counts(cards_, 0);
    std::int64_t left = units();
    for (std::size_t d = 0; d < cards_; ++d) {
      auto room = room_of(d, counts, left);
      if (!room) return room.error();
      counts[d] = *room;
      left -= *room;
    }
    if (left > 0 || cards_ == 1) return plan(counts, false);
    const std::vector<std::int64_t> evenly = balanced(units(), counts);
    // Shares may ask for more of one than it has room for.
    if (std::accumulate(evenly.begin(), evenly.end(), std::int64_t{0}) < units()) {
      return plan(counts, false);
    }
    for (const bool embeds : {true, false}) {
      auto even = plan(evenly, embeds);
      if (!even || even->fits) return even;
    }
    return plan(counts, false);
  }

  /// The most units of `left` that a card has room for, those before it being dealt.
  Result<std::int64_t> room_of(std::size_t device, std::vector<std::int64_t> counts,
                               std::int64_t left) {
    std::int64_t low = 0;
    std::int64_t high = left;
    while (low < high) {
      const std::int64_t middle = (low + high + 1) / 2;
      counts[device] = middle;
      auto fit = plan(counts, false);
      if (!fit) return fit.error();
      if (within(fit->memory[device])) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /// Deals the first `count` units so that the card that takes longest takes least, or by shares.
  std::vector<std::int64_t> balanced(std::int64_t count, const std::vector<std::int64_t>& most) {
    if (cards_ == 1) return {count};
    const std::vector<double> shares = options_.program.shares;
    double low = 0;
    double high = 0;
    for (std::size_t d = 0; d < cards_; ++d) {
      for (const double us : times_[d]) high += us;
    }
    std::vector<std::int64_t> best;
    if (!shares.empty()) return by_shares(count, most, shares);
    constexpr int kHalvings = 40;
    best = filled(count, most, std::numeric_limits<double>::infinity());
    for (int n = 0; n < kHalvings; ++n) {
      const double middle = (low + high) / 2;
      auto tried = filled(count, most, middle);
      if (std::accumulate(tried.begin(), tried.end(), std::int64_t{0}) >= count) {
        best = std::move(tried);
        high = middle;
      } else {
        low = middle;
      }
    }
    return best;
  }

  std::vector<std::int64_t> by_shares(std::int64_t count, const std::vector<std::int64_t>& most,
                                      const std::vector<double>& shares) const {
    double total = 0;
    for (const double share : shares) total += share;
    std::vector<std::int64_t> out;
    double end = 0;
    std::int64_t dealt = 0;
    for (std::size_t d = 0; d < cards_; ++d) {
      end += d < shares.size() ? shares[d] : 0;
      const bool last = d + 1 == cards_;
      const auto to =
          last ? count : static_cast<std::int64_t>(static_cast<double>(count) * end / total + 0.5);
      out.push_back(std::clamp<std::int64_t>(to - dealt, 0, most[d]));
      dealt += out.back();
    }
    return out;
  }

  /// Each card takes units until its time or its number is used up.
  std::vector<std::int64_t> filled(std::int64_t count, const std::vector<std::int64_t>& most,
                                   double us_max) const {
    std::vector<std::int64_t> out(cards_, 0);
    std::size_t d = 0;
    double us = 0;
    for (std::int64_t unit = 0; unit < count; ++unit) {
      // The embedding is section 0.
      const auto section = static_cast<std::size_t>(unit) + 1;
      while (d < cards_ && (out[d] == most[d] || us + times_[d][section] > us_max)) {
        ++d;
        us = 0;
      }
      if (d == cards_) return out;
      us += times_[d][section];
      ++out[d];
    }
    return out;
  }

  Runtime& runtime_;
  const Graph& graph_;
  const DecoderContract& contract_;
  const FitOptions& options_;
  std::vector<std::int64_t> pages_;  // by group
  std::vector<TensorType> types_;
  std::vector<std::int64_t> capacity_;
  std::vector<std::vector<double>> times_;  // by card and section
  std::int64_t layers_ = 0;
  std::size_t cards_ = 0;
  DeviceIndex rest_ = 0;
};

}  // namespace

std::int64_t capacity_of(Runtime& runtime, DeviceIndex device) {
  const MemoryManager& memory = runtime.memory(device);
  // Idle weights and plans of other programs make room, their caches and states do not.
  const std::int64_t held =
      memory.held_bytes(MemoryOwner::kCache) + memory.held_bytes(MemoryOwner::kState);
  return std::max<std::int64_t>(memory.budget_bytes() - held, 0);
}

Result<std::optional<LayerFit>> fit_layers(Runtime& runtime, const Model& model,
                                           const FitNeed& need, const FitOptions& options) {
  if (!model.decoder || model.find("main") == nullptr) return std::optional<LayerFit>();
  return Fitter(runtime, model, need, options).run();
}

}  // namespace polaris
