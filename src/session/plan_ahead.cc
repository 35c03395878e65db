#include "session/plan_ahead.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "plan/host_values.h"
#include "plan/stage_planner.h"
#include "session/prepare_graph.h"

namespace polaris {
namespace {

/// The states' types with a size for every dim.
std::vector<TensorType> static_states(const Graph& graph, const DecoderPlan& decoder) {
  std::vector<TensorType> states;
  for (const StateUse& use : graph.states()) {
    TensorType& type = states.emplace_back(use.state->type);
    for (int d = 0; d < type.shape.rank(); ++d) {
      if (!is_static_dim(type.shape[d])) type.shape[d] = 1;
    }
    if (!use.state->paged || type.shape.rank() < 2) continue;
    type.shape[0] = std::max<std::int64_t>(decoder.pages(*use.state), 1);
  }
  return states;
}

}  // namespace

Result<PlannedAhead> plan_ahead(Runtime& runtime, const Graph& graph,
                                std::span<const TensorType> inputs, std::int64_t cached_tokens,
                                const ProgramOptions& options) {
  ProgramOptions sized = options;
  sized.cached_tokens = cached_tokens;
  DecoderPlan all;
  // [pages, tokens of a page, elements]
  all.pages = [&](const State& state) {
    const std::int64_t page = is_static_dim(state.type.shape[1]) ? state.type.shape[1] : 1;
    return ceil_div(cached_tokens, page);
  };
  return plan_ahead(runtime, graph, inputs, all, sized);
}

Result<PlannedAhead> plan_ahead(Runtime& runtime, const Graph& graph,
                                std::span<const TensorType> inputs, const DecoderPlan& decoder,
                                const ProgramOptions& options) {
  PlannedAhead out;
  out.graph = graph.clone();
  auto report = prepare_graph(out.graph, runtime, options, decoder.contract);
  if (!report) return report.error();
  out.placement = placement_of(out.graph);
  out.states = static_states(out.graph, decoder);
  const ValueFlags host_needed = host_needed_values(out.graph);
  const LastReaders last_reader = last_readers(out.graph);
  const PlanContext context{runtime.devices(), &out.placement, &host_needed,
                            &last_reader,      out.states,     true};
  std::vector<LiveIn> live;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    live.push_back({out.graph.inputs()[i], inputs[i], kHost, {}});
  }
  auto stage = plan_stage(context, out.graph, 0, std::move(live));
  if (!stage) return stage.error();
  out.stage = stage.take();
  return out;
}

}  // namespace polaris
