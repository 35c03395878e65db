#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "ir/graph.h"
#include "plan/placement.h"
#include "plan/plan.h"
#include "session/runtime.h"

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
  /// Plans kept per graph; the least recently used goes first.
  std::size_t plans_max = 64;
  /// Told while weights are brought to their devices, on the thread that waits for the plan.
  std::function<void(std::int64_t done_bytes, std::int64_t all_bytes)> progress;
};

/// A stage with its weights in place and its segments compiled.
struct LoadedStage {
  /// Where a run region's bytes come from.
  struct Region {
    enum class Kind : std::uint8_t { kSlab, kUpload, kStorage };
    Kind kind = Kind::kSlab;
    std::int32_t index = 0;  // slab, or storage
  };
  Stage stage;
  std::vector<std::shared_ptr<const PackedWeight>> weights;
  std::vector<std::vector<Region>> regions;              // per device
  std::vector<std::unique_ptr<Executable>> executables;  // per step; null for transfers
};

/// What is computed once per graph.
struct GraphInfo {
  const Graph* graph = nullptr;
  Placement placement;
  std::vector<bool> host_needed;
  std::vector<std::int64_t> last_reader;
};

struct MemoryUse {
  std::string device;
  std::int64_t weight_bytes = 0;
  std::int64_t arena_bytes = 0;  // slabs, uploads and outputs of the largest stage
  std::int64_t state_bytes = 0;  // of an estimate: caches, what a recurrent model carries
  std::int64_t budget_bytes = 0;
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

  /// The stage for `key`, which spells out graph, position, live values and states (executor.cc
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
  Status preflight(const Stage& stage) const;
  Result<std::unique_ptr<LoadedStage>> load(Stage stage, const GraphInfo& info);

  std::shared_ptr<Runtime> runtime_;
  Graph graph_;
  ProgramOptions options_;
  std::string pass_report_;
  std::map<const Graph*, GraphInfo> infos_;
  struct Cached {
    std::shared_ptr<const LoadedStage> stage;
    std::list<const std::string*>::iterator used;
  };
  mutable std::mutex
      mutex_;  // plans, and their making: two threads never plan the same stage twice
  std::map<std::string, Cached, std::less<>> plans_;
  std::list<const std::string*> by_use_;  // front: most recent
  std::atomic<std::int64_t> plans_created_{0};
};

/// What a run with these static input types would need, per device, without loading anything.
/// Paged states hold `cached_tokens`. Errors: as Program::compile and planning.
Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options = {});

}  // namespace polaris
