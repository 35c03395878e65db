#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pass/pass.h"

namespace polaris {

/// The passes of src/pass/order.inc, in its order; a pass may stand there more than once.
std::span<const Pass* const> default_passes();
const Pass* find_pass(std::string_view name);

/// Whether the graph has one of the ops that the pass starts at. Not asked of its subgraphs.
bool has_start(const Graph& graph, const Pass& pass);

struct PassOptions {
  /// Names of passes to leave out.
  std::set<std::string, std::less<>> disabled;
  /// Verify the graph after each pass that changed it, types included; always so in debug builds.
  bool verify = false;
  /// Places the nodes; called once, on the outermost graph without dead nodes, before the first
  /// pass that works per device, or last. Empty: nodes stay where they are placed.
  std::function<Status(Graph&)> place;
  /// Asked before each pass; true stops with the error cancelled. Empty: never.
  std::function<bool()> stop;
};

/// What one pass did.
struct PassRun {
  std::string name;
  double ms = 0;
  std::int64_t graphs_changed = 0;  // the graph and its subgraphs
  std::int64_t nodes_before = 0;
  std::int64_t nodes_after = 0;
};

struct PassReport {
  std::vector<PassRun> runs;
  double ms = 0;
  bool changed() const;
  /// One line a pass: name, time, graphs changed, nodes before and after.
  std::string to_string() const;
};

/// Runs passes over the graph and its subgraphs, innermost first, then drops what is dead.
/// Errors: invalid (a disabled name that is no pass), what a pass or the verifier found, with the
/// pass's name.
Result<PassReport> run_passes(Graph& graph, std::span<const Pass* const> passes,
                              const Targets& targets, const OpSet& ops,
                              const PassOptions& options = {});
/// The default passes.
Result<PassReport> run_passes(Graph& graph, const Targets& targets, const OpSet& ops,
                              const PassOptions& options = {});

/// A graph and its subgraphs as passes meet them: looked up again only after a change, since graphs
/// are many and most passes change none.
class PassGraphs {
 public:
  explicit PassGraphs(Graph& root) : root_(root) { look_up(); }
  Graph& root() const { return root_; }
  /// Innermost first. Without those in which some rank is open, unless `any_rank`: passes read
  /// ranks, and such a graph runs as it was written but for what its constants alone decide.
  const std::vector<Graph*>& graphs(bool any_rank) const { return any_rank ? all_ : graphs_; }
  std::int64_t node_count() const { return node_count_; }
  /// To be called after every change.
  void look_up();

 private:
  Graph& root_;
  std::vector<Graph*> graphs_;
  std::vector<Graph*> all_;
  std::int64_t node_count_ = 0;  // of all graphs
};

/// Times `work` over the graphs, and verifies them where it changed something. For passes that are
/// not functions; run_passes uses it too.
Result<PassRun> run_over_subgraphs(PassGraphs& graphs, std::string_view name, bool verify,
                                   const std::function<Result<bool>(Graph&)>& work,
                                   bool any_rank = false);

/// Passes by "default", "none", "a,b" (just these), "-a,-b" (the default ones without these).
Result<std::vector<const Pass*>> select_passes(std::string_view list);

}  // namespace polaris
