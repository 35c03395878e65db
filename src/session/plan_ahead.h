#pragma once
#include <functional>
#include <span>
#include <vector>

#include "plan/placement.h"
#include "plan/plan.h"
#include "session/program.h"

namespace polaris {

/// A graph's first stage as a run would have it, with nothing loaded. `stage` refers to `graph`.
struct PlannedAhead {
  Graph graph;  // prepared: passes, placement, fusion
  Placement placement;
  std::vector<TensorType> states;  // static, by state of the graph
  Stage stage;
  /// Whether the stage is all of the graph: nothing waits for what only a run can tell.
  bool is_whole() const { return stage.end == graph.order().size() && !stage.control.valid(); }
};

/// What a decoder is planned for.
struct DecoderPlan {
  const DecoderContract* contract = nullptr;
  std::function<std::int64_t(const State&)> pages;  // of a paged state
};

/// Plans for these static input types. Paged states hold `cached_tokens`. Errors: as
/// Program::compile and planning.
Result<PlannedAhead> plan_ahead(Runtime& runtime, const Graph& graph,
                                std::span<const TensorType> inputs, std::int64_t cached_tokens,
                                const ProgramOptions& options = {});
/// The same for a decoder, its layers dealt as the options say.
Result<PlannedAhead> plan_ahead(Runtime& runtime, const Graph& graph,
                                std::span<const TensorType> inputs, const DecoderPlan& decoder,
                                const ProgramOptions& options);

}  // namespace polaris
