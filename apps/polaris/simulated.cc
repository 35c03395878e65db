#include "simulated.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

#include "output.h"
#include "progress.h"

namespace polaris::cli {
namespace {

constexpr std::size_t kNamesShown = 5;

double tokens_per_second(const SimulatedRun& run) {
  return run.timing.us() > 0 ? static_cast<double>(run.tokens) * 1e6 / run.timing.us() : 0;
}

/// Nodes that are alike, as the layers of a model are.
struct Row {
  const gcn::NodeTiming* first;
  int count = 0;
  double us = 0;  // of all
};

std::vector<Row> rows_of(const gcn::RunTiming& timing) {
  std::map<std::tuple<std::string, std::string, double>, Row> rows;
  for (const gcn::NodeTiming& node : timing.nodes) {
    Row& row = rows.try_emplace({node.op, node.kernel, node.us}, Row{&node}).first->second;
    ++row.count;
    row.us += node.us;
  }
  std::vector<Row> out;
  for (const auto& [key, row] : rows) out.push_back(row);
  std::stable_sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.us > b.us; });
  return out;
}

void print_nodes(const gcn::RunTiming& timing) {
  char line[256];
  std::snprintf(line, sizeof line, "%10s %6s %5s %9s  %-8s %5s  %-18s %-26s %s", "us", "share",
                "nodes", "us each", "bound", "of it", "op", "kernel", "first node");
  print_line(line);
  for (const Row& row : rows_of(timing)) {
    std::snprintf(line, sizeof line,
                  "%10.1f %5.1f%% %5d %9.1f  %-8.8s %4.0f%%  %-18.18s %-26.26s %.90s", row.us,
                  timing.kernels_us > 0 ? 100 * row.us / timing.kernels_us : 0, row.count,
                  row.first->us, row.first->bound.c_str(), 100 * row.first->share,
                  row.first->op.c_str(), row.first->kernel.c_str(), row.first->node.c_str());
    print_line(line);
  }
}

void print_elsewhere(const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::string text = std::to_string(names.size()) + " nodes run on the cpu, not in these times:";
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) text += ' ' + names[i];
  if (names.size() > kNamesShown) text += " ...";
  print_line(text);
}

}  // namespace

Status simulate(const Common& common, gcn::ModelTimer& timer, const Opened& opened,
                const Graph& graph, std::int64_t cached_tokens, std::vector<SimulatedRun>& runs) {
  Progress progress(common);
  for (SimulatedRun& run : runs) {
    std::vector<TensorType> types;
    for (const Tensor& input : run.inputs) types.push_back(input.type());
    auto planned = plan_ahead(*opened.runtime, graph, types, cached_tokens, opened.options);
    if (!planned) return planned.error();
    if (!planned->is_whole()) {
      return Error::unsupported(
          "[sim] a graph whose shapes or control flow follow from its data cannot be planned "
          "ahead of a run, and so not simulated");
    }
    auto timing = timer.time(*planned, run.inputs, [&](std::size_t done, std::size_t all) {
      progress.show("simulating the " + run.what, std::to_string(done),
                    std::to_string(all) + " launches");
    });
    if (!timing) return timing.error();
    run.timing = timing.take();
  }
  return timer.save();
}

void print_simulated(const gcn::ModelTimer& timer, const std::vector<SimulatedRun>& runs) {
  char line[256];
  std::snprintf(line, sizeof line,
                "simulated   %s at %.0f MHz, machine code of Mesa %s (no card was measured)",
                timer.chip().name.c_str(), timer.chip().mhz, timer.mesa().c_str());
  print_line(line);
  for (const SimulatedRun& run : runs) {
    const gcn::RunTiming& t = run.timing;
    std::snprintf(
        line, sizeof line, "%-11s %.2f ms: kernels %.2f, %lld gaps of %.1f us, bus %s %.2f",
        run.what.c_str(), t.us() / 1e3, t.kernels_us / 1e3, static_cast<long long>(t.gaps),
        gcn::kGapUs, bytes_text(t.bus_bytes).c_str(), t.bus_us() / 1e3);
    print_line(line);
    if (run.tokens > 0) {
      std::snprintf(line, sizeof line, "            %lld tokens, %.1f tokens/s",
                    static_cast<long long>(run.tokens), tokens_per_second(run));
      print_line(line);
    }
    print_nodes(t);
    print_elsewhere(t.elsewhere);
  }
}

void write_simulated(JsonWriter& json, const gcn::ModelTimer& timer,
                     const std::vector<SimulatedRun>& runs) {
  json.begin_object().field("gpu", timer.chip().name).field("mhz", timer.chip().mhz);
  json.field("mesa", timer.mesa()).field("gap_us", gcn::kGapUs);
  json.field("bus_gb_per_s", gcn::kBusGbPerS).key("runs").begin_array();
  for (const SimulatedRun& run : runs) {
    const gcn::RunTiming& t = run.timing;
    json.begin_object().field("what", run.what).field("ms", t.us() / 1e3);
    if (run.tokens > 0) {
      json.field("tokens", run.tokens).field("tokens_per_second", tokens_per_second(run));
    }
    json.field("kernels_ms", t.kernels_us / 1e3).field("gaps", t.gaps);
    json.field("gaps_ms", t.gaps_us() / 1e3).field("bus_bytes", t.bus_bytes);
    json.field("bus_ms", t.bus_us() / 1e3).key("nodes").begin_array();
    for (const gcn::NodeTiming& node : t.nodes) {
      json.begin_object().field("node", node.node).field("op", node.op);
      json.field("kernel", node.kernel).field("us", node.us).field("bound", node.bound);
      json.field("share_of_limit", node.share).field("dispatches", node.dispatches).end_object();
    }
    json.end_array().key("not_simulated").begin_array();
    for (const std::string& name : t.elsewhere) json.value(name);
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

}  // namespace polaris::cli
