#include "context_table.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "model_io.h"
#include "output.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kLeast = 512;
constexpr std::int64_t kUnit = 64;  // the largest context is told in whole units

std::string text_of(const LayerFit& fit, DeviceIndex device) {
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  const std::int64_t layers = fit.split.layers[static_cast<std::size_t>(device)];
  const bool rest = fit.split.head == device && fit.card_layers < fit.layers;
  if (fit.split.embedding == device) add("embedding");
  if (layers > 0) add(std::to_string(layers) + " layers");
  if (rest) add(std::to_string(fit.layers - fit.card_layers) + " layers");
  if (fit.split.head == device) add("head");
  return out;
}

std::int64_t layers_on(const LayerFit& fit, std::size_t device) {
  const bool rest = fit.split.head == static_cast<DeviceIndex>(device);
  return fit.split.layers[device] +
         (rest && fit.card_layers < fit.layers ? fit.layers - fit.card_layers : 0);
}

bool is_whole(const LayerFit& fit) { return fit.whole && fit.fits; }

/// The largest context, in whole units and below `most`, at which all is on the cards.
Result<std::int64_t> largest_whole(std::int64_t most, const FitAt& fit_at) {
  std::int64_t low = 0;
  std::int64_t high = (most - 1) / kUnit;
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    auto fit = fit_at(middle * kUnit, true);
    if (!fit) return fit.error();
    if (*fit && is_whole(**fit)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low * kUnit;
}

}  // namespace

Result<ContextTable> context_table(std::int64_t most, std::int64_t asked, const FitAt& fit_at) {
  std::set<std::int64_t> contexts = {most};
  for (std::int64_t context = kLeast; context < most; context *= 2) contexts.insert(context);
  if (asked > 0) contexts.insert(std::min(asked, most));
  ContextTable out;
  for (const std::int64_t context : contexts) {
    auto fit = fit_at(context, false);
    if (!fit) return fit.error();
    if (!*fit) return ContextTable();
    out.rows.push_back({context, std::move(**fit)});
  }
  if (is_whole(out.rows.back().fit)) {
    out.whole_context = most;
    return out;
  }
  auto largest = largest_whole(most, fit_at);
  if (!largest) return largest.error();
  out.whole_context = *largest;
  return out;
}

void print_contexts(const ContextTable& table) {
  if (table.rows.empty()) return;
  const std::string of = table.card.empty() ? "" : " on " + table.card;
  print_line("what fits" + of +
             (table.whole_context > 0
                  ? ": everything up to a context of " + std::to_string(table.whole_context)
                  : ": not everything, at any context"));
  char line[256];
  std::snprintf(line, sizeof line, "%9s  %-18s %10s %10s %10s %10s of %-10s %s", "context",
                "device", "weights", "cache", "working", "in all", "budget", "what");
  print_line(line);
  for (const ContextRow& row : table.rows) {
    std::string context = std::to_string(row.context);
    for (std::size_t d = 0; d < row.fit.memory.size(); ++d) {
      const MemoryUse& use = row.fit.memory[d];
      const std::int64_t all = use.weight_bytes + use.state_bytes + use.arena_bytes;
      std::string what = text_of(row.fit, static_cast<DeviceIndex>(d));
      if (all == 0 && what.empty()) continue;
      if (all > use.budget_bytes) what += ": does not fit";
      std::snprintf(line, sizeof line, "%9s  %-18.18s %10s %10s %10s %10s of %-10s %s",
                    context.c_str(), use.device.c_str(), bytes_text(use.weight_bytes).c_str(),
                    bytes_text(use.state_bytes).c_str(), bytes_text(use.arena_bytes).c_str(),
                    bytes_text(all).c_str(), bytes_text(use.budget_bytes).c_str(), what.c_str());
      print_line(line);
      context.clear();
    }
  }
}

void write_contexts(JsonWriter& json, const ContextTable& table) {
  json.begin_object();
  if (!table.card.empty()) json.field("card", table.card);
  json.field("whole_context", table.whole_context).key("rows").begin_array();
  for (const ContextRow& row : table.rows) {
    const LayerFit& fit = row.fit;
    const auto name = [&](DeviceIndex d) { return fit.memory[static_cast<std::size_t>(d)].device; };
    json.begin_object().field("context", row.context).field("layers", fit.layers);
    json.field("card_layers", fit.card_layers).field("whole", fit.whole).field("fits", fit.fits);
    json.field("embedding", name(fit.split.embedding)).field("head", name(fit.split.head));
    json.key("devices").begin_array();
    for (std::size_t d = 0; d < fit.memory.size(); ++d) {
      const MemoryUse& use = fit.memory[d];
      json.begin_object().field("device", use.device).field("layers", layers_on(fit, d));
      json.field("weight_bytes", use.weight_bytes).field("state_bytes", use.state_bytes);
      json.field("working_bytes", use.arena_bytes);
      json.field("bytes", use.weight_bytes + use.state_bytes + use.arena_bytes);
      json.field("budget_bytes", use.budget_bytes).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

}  // namespace polaris::cli
