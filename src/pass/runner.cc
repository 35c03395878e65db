#include "pass/runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/nested.h"
#include "ir/verifier.h"

namespace polaris {

#define POLARIS_PASS(name) extern const Pass pass_##name;
#include "pass/order.inc"
#undef POLARIS_PASS

namespace {

constexpr const Pass* kOrder[] = {
#define POLARIS_PASS(name) &pass_##name,
#include "pass/order.inc"
#undef POLARIS_PASS
};

#ifdef NDEBUG
constexpr bool kAlwaysVerify = false;
#else
constexpr bool kAlwaysVerify = true;
#endif

bool is_named(const OpDef& op, std::string_view full_name) {
  if (op.domain.empty()) return full_name == op.name;
  return full_name.size() == op.domain.size() + 1 + op.name.size() &&
         full_name.starts_with(op.domain) && full_name.ends_with(op.name);
}

}  // namespace

std::span<const Pass* const> default_passes() { return kOrder; }

const Pass* find_pass(std::string_view name) {
  for (const Pass* pass : kOrder) {
    if (pass->name == name) return pass;
  }
  return nullptr;
}

bool has_start(const Graph& graph, const Pass& pass) {
  if (pass.starts_at.empty()) return true;
  const OpDef* last = nullptr;  // that is no start: neighbours are often alike
  return std::ranges::any_of(graph.order(), [&](NodeId id) {
    const OpDef* op = graph.node(id).op;
    if (op == last) return false;
    last = op;
    return std::ranges::any_of(pass.starts_at,
                               [&](std::string_view name) { return is_named(*op, name); });
  });
}

void PassGraphs::look_up() {
  graphs_.clear();
  all_.clear();
  node_count_ = 0;
  for (Graph* graph : graphs_within(root_)) {
    node_count_ += static_cast<std::int64_t>(graph->order().size());
    all_.push_back(graph);
    if (!has_any_rank(*graph)) graphs_.push_back(graph);
  }
}

Result<PassRun> run_over_subgraphs(PassGraphs& graphs, std::string_view name, bool verify,
                                   const std::function<Result<bool>(Graph&)>& work, bool any_rank) {
  PassRun run;
  run.name = name;
  run.nodes_before = graphs.node_count();
  const auto start = std::chrono::steady_clock::now();
  // A pass may remove nodes and with them subgraphs: dead nodes keep theirs until compact().
  for (Graph* at : graphs.graphs(any_rank)) {
    auto changed = work(*at);
    if (!changed) return changed.error().with_context(name);
    if (*changed) ++run.graphs_changed;
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  run.ms = took.count();
  if (run.graphs_changed > 0) graphs.look_up();
  run.nodes_after = graphs.node_count();
  if (run.graphs_changed > 0 && (verify || kAlwaysVerify)) {
    if (auto s = verify_graph(graphs.root()); !s)
      return s.error().with_context("after " + run.name);
  }
  return run;
}

bool PassReport::changed() const {
  return std::any_of(runs.begin(), runs.end(),
                     [](const PassRun& run) { return run.graphs_changed > 0; });
}

std::string PassReport::to_string() const {
  std::string out;
  char line[160];
  for (const PassRun& run : runs) {
    std::snprintf(line, sizeof line, "%-24.*s %9.2f ms  %3lld changed  %6lld -> %lld nodes\n",
                  static_cast<int>(run.name.size()), run.name.data(), run.ms,
                  static_cast<long long>(run.graphs_changed),
                  static_cast<long long>(run.nodes_before),
                  static_cast<long long>(run.nodes_after));
    out += line;
  }
  return out;
}

Result<PassReport> run_passes(Graph& graph, std::span<const Pass* const> passes,
                              const Targets& targets, const OpSet& ops,
                              const PassOptions& options) {
  for (const std::string& name : options.disabled) {
    if (find_pass(name) == nullptr) {
      return Error::invalid("[passes] disabled, got '" + printable(name) + "', which is no pass");
    }
  }
  PassReport report;
  PassGraphs graphs(graph);
  bool placed = !options.place;
  const auto place = [&]() -> Status {
    if (std::exchange(placed, true)) return Status::success();
    for (Graph* at : graphs_within(graph)) at->compact();
    const Status status = options.place(graph);
    graphs.look_up();
    return status;
  };
  for (const Pass* pass : passes) {
    if (options.stop && options.stop()) return Error::cancelled("[passes] stopped on request");
    if (pass->per_device) {
      if (auto status = place(); !status) return status.error();
    }
    if (options.disabled.contains(pass->name)) continue;
    const auto work = [&](Graph& at) -> Result<bool> {
      // Looking costs less than an editor of the graph.
      if (!has_start(at, *pass)) return false;
      return pass->run(at, targets, ops);
    };
    auto run = run_over_subgraphs(graphs, pass->name, options.verify, work, pass->takes_any_rank);
    if (!run) return run.error();
    report.ms += run->ms;
    report.runs.push_back(run.take());
  }
  for (Graph* at : graphs_within(graph)) at->compact();
  if (auto status = place(); !status) return status.error();
  return report;
}

Result<PassReport> run_passes(Graph& graph, const Targets& targets, const OpSet& ops,
                              const PassOptions& options) {
  return run_passes(graph, default_passes(), targets, ops, options);
}

Result<std::vector<const Pass*>> select_passes(std::string_view list) {
  std::vector<const Pass*> out(std::begin(kOrder), std::end(kOrder));
  if (list == "default") return out;
  const bool without = list.starts_with('-');
  if (!without) out.clear();
  if (list == "none" || list.empty()) return out;
  for (std::string_view part : split(list, ',')) {
    std::string_view name = trim(part);
    if (name.starts_with('-') != without) {
      return Error::invalid("[passes] '" + printable(list) +
                            "' mixes passes to run with passes to leave out");
    }
    if (without) name.remove_prefix(1);
    const Pass* pass = find_pass(name);
    if (pass == nullptr) {
      return Error::invalid("[passes] got '" + printable(name) + "', which is no pass");
    }
    if (without) {
      std::erase(out, pass);
    } else {
      out.push_back(pass);
    }
  }
  return out;
}

}  // namespace polaris
