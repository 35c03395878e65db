#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/model.h"
#include "plan/decoder_sections.h"
#include "plan/plan.h"
#include "session/function.h"
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
  /// Part of the weights for each of the runtime's first devices; empty: so that all are done with
  /// their parts in equal time, by estimate.
  std::vector<double> shares;
  /// How the layers of a decoder are dealt; nothing: its nodes are placed as any graph's.
  std::optional<LayerSplit> layers;
  /// What paged states will hold, so that placing leaves room for it.
  std::int64_t cached_tokens = 0;
  std::vector<std::string> disabled_passes;
  bool run_passes = true;
  std::vector<UserPass> user_passes;  // run before the built-in ones
  /// What is kept of plans; the least recently used goes first.
  PlanLimits plans;
  /// Told while weights are brought to their devices, on the thread that makes the plan, which
  /// holds no lock: it may be called by several threads at once.
  LoadProgress progress;
};

/// The functions of a model made ready for the runtime's devices: passes applied, nodes placed,
/// each state on one device for all of them, equal weights held once. Stages are planned, weights
/// loaded and segments compiled when a shape is first seen, and kept. Immutable to its users;
/// thread-safe.
class Program {
 public:
  /// Takes the functions named, or all of them, out of the model. Errors: not_found (lists what
  /// there is), what passes and the verifier find.
  static Result<std::shared_ptr<Program>> compile(std::shared_ptr<Runtime> runtime, Model& model,
                                                  std::span<const std::string> functions = {},
                                                  const ProgramOptions& options = {});
  /// The short form: a program of one function.
  static Result<std::shared_ptr<Program>> compile(std::shared_ptr<Runtime> runtime, Graph graph,
                                                  const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// By name, sorted.
  const std::map<std::string, Function, std::less<>>& functions() const { return functions_; }
  const Function* find(std::string_view function) const;
  /// What the short forms run: "main", or the first where there is none.
  const Function& main() const { return *main_; }
  const Graph& graph() const { return main_->graph; }
  /// The states of all functions, each once.
  const std::vector<ProgramState>& states() const { return states_; }
  /// How main() is run, where it is a decoder over paged states.
  const std::optional<DecoderContract>& decoder() const { return decoder_; }
  /// The same where it embeds texts.
  const std::optional<EmbedderContract>& embedder() const { return embedder_; }
  Runtime& runtime() const { return *runtime_; }
  const GraphInfo& info(const Graph& graph) const { return infos_.at(&graph); }
  const GraphInfo& info() const { return info(main_->graph); }

  /// The stage for `key`, which spells out graph, position, live values and states (stage_key.h
  /// builds it); planned and loaded now if it is not there. Nothing is loaded where it would not
  /// fit the devices' budgets.
  Result<std::shared_ptr<const LoadedStage>> stage(const std::string& key, const GraphInfo& info,
                                                   std::size_t begin, std::vector<LiveIn> live_in,
                                                   std::span<const TensorType> state_types,
                                                   const ValueFlags* device_outputs);

  /// Errors: io where a file that weights come from was cut, or could not be read, since it was
  /// mapped: what was computed from it means nothing.
  Status check_files() const;

  /// Drops the plans that nobody uses, so that the next runs choose kernels anew.
  void drop_plans();
  std::int64_t plans_created() const { return plans_created_.load(); }
  /// Per device: weights in use and the largest working set of the plans made so far.
  std::vector<MemoryUse> memory() const;
  const std::string& pass_report() const { return main_->pass_report; }

 private:
  Program(std::shared_ptr<Runtime> runtime, ProgramOptions options);
  Status add_function(const std::string& name, Graph graph,
                      const DecoderContract* decoder = nullptr);
  Status add_state(Function& function, const StateUse& use);
  void add_infos(const Graph& root);
  void add_info(const Graph& graph);

  std::shared_ptr<Runtime> runtime_;
  std::map<std::string, Function, std::less<>> functions_;
  const Function* main_ = nullptr;
  std::vector<ProgramState> states_;
  std::optional<DecoderContract> decoder_;
  std::optional<EmbedderContract> embedder_;
  std::set<std::shared_ptr<const MappedFile>> files_;  // of all functions
  ProgramOptions options_;
  std::map<const Graph*, GraphInfo> infos_;
  std::vector<WeightClaim> claims_;  // per device: the program owns its graph's weights
  PlanCache plans_;
  std::atomic<std::int64_t> plans_created_{0};
};

}  // namespace polaris
