#include "session/estimate_memory.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "plan/host_values.h"
#include "plan/stage_planner.h"
#include "session/prepare_graph.h"
#include "session/stage_loader.h"

namespace polaris {

Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options) {
  Graph copy = graph.clone();
  ProgramOptions sized = options;
  sized.cached_tokens = cached_tokens;
  auto report = prepare_graph(copy, runtime, sized);
  if (!report) return report.error();
  const Placement placement = placement_of(copy);
  const std::vector<bool> host_needed = host_needed_values(copy);
  const std::vector<std::int64_t> last_reader = last_readers(copy);
  std::vector<TensorType> states;
  for (const StateUse& use : copy.states()) {
    TensorType& type = states.emplace_back(use.state->type);
    for (int d = 0; d < type.shape.rank(); ++d) {
      if (!is_static_dim(type.shape[d])) type.shape[d] = 1;
    }
    if (!use.state->paged || type.shape.rank() < 2) continue;
    // [pages, tokens of a page, elements]
    type.shape[0] = std::max<std::int64_t>(ceil_div(cached_tokens, type.shape[1]), 1);
  }
  const PlanContext context{runtime.devices(), &placement, &host_needed,
                            &last_reader,      states,     true};
  std::vector<LiveIn> live;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    live.push_back({copy.inputs()[i], inputs[i], kHost, {}});
  }
  auto stage = plan_stage(context, copy, 0, std::move(live));
  if (!stage) return stage.error();
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    const DeviceInfo& info = runtime.device(d).info();
    MemoryUse use{info.id, 0, working_bytes(*stage, static_cast<std::size_t>(d)), 0,
                  info.budget_bytes};
    for (std::size_t s = 0; s < states.size(); ++s) {
      if (placement.state[s] == d) use.state_bytes += states[s].bytes().value_or(0);
    }
    for (const Step& step : stage->steps) {
      const auto* segment = std::get_if<SegmentStep>(&step);
      if (segment == nullptr || segment->device != d) continue;
      use.launches += static_cast<std::int64_t>(segment->launches.size());
    }
    for (const WeightUse& weight : stage->weights) {
      if (weight.device == d) use.weight_bytes += weight.bytes;
    }
    out.push_back(use);
  }
  return out;
}

}  // namespace polaris
