#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "session/graph_info.h"
#include "session/memory_use.h"
#include "session/plan_cache.h"
#include "session/runtime.h"
#include "session/stage_loader.h"

namespace polaris {

/// A pass written as text by a user or a plugin (docs/passes.md).
struct UserPass {
  std::string name;
  std::string text;
};
/// Errors: invalid, with the place in the text.
Status check_user_pass(const UserPass& pass, const OpSet& ops);

struct ProgramOptions {
  /// Part of the weights for each of the runtime's first devices; empty: equal parts.
  std::vector<double> shares;
  std::vector<std::string> disabled_passes;
  bool run_passes = true;
  std::vector<UserPass> user_passes;  // run before the built-in ones
  /// What is kept of plans; the least recently used goes first.
  PlanLimits plans;
  /// Told while weights are brought to their devices, on the thread that makes the plan, which
  /// holds no lock: it may be called by several threads at once.
  LoadProgress progress;
};

/// A graph made ready for the runtime's devices: passes applied, nodes placed. Stages are planned,
/// weights loaded and segments compiled when a shape is first seen, and kept. Immutable to its
/// users; thread-safe.
class Program {
 public:
  /// Errors: what passes and the verifier find.
  static Result<std::shared_ptr<Program>> compile(std::shared_ptr<Runtime> runtime, Graph graph,
                                                  const ProgramOptions& options = {});
  const Graph& graph() const { return graph_; }
  Runtime& runtime() const { return *runtime_; }
  const GraphInfo& info(const Graph& graph) const { return infos_.at(&graph); }
  const GraphInfo& info() const { return info(graph_); }

  /// The stage for `key`, which spells out graph, position, live values and states (stage_key.h
  /// builds it); planned and loaded now if it is not there. Nothing is loaded where it would not
  /// fit the devices' budgets.
  Result<std::shared_ptr<const LoadedStage>> stage(const std::string& key, const GraphInfo& info,
                                                   std::size_t begin, std::vector<LiveIn> live_in,
                                                   std::span<const TensorType> state_types);

  std::int64_t plans_created() const { return plans_created_.load(); }
  /// Per device: weights in use and the largest working set of the plans made so far.
  std::vector<MemoryUse> memory() const;
  const std::string& pass_report() const { return pass_report_; }

 private:
  Program(std::shared_ptr<Runtime> runtime, Graph graph, ProgramOptions options);
  void add_info(const Graph& graph);

  std::shared_ptr<Runtime> runtime_;
  Graph graph_;
  ProgramOptions options_;
  std::string pass_report_;
  std::map<const Graph*, GraphInfo> infos_;
  PlanCache plans_;
  std::atomic<std::int64_t> plans_created_{0};
};

}  // namespace polaris
