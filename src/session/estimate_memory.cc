#include "session/estimate_memory.h"

#include "session/plan_ahead.h"
#include "session/stage_loader.h"

namespace polaris {

Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options) {
  auto planned = plan_ahead(runtime, graph, inputs, cached_tokens, options);
  if (!planned) return planned.error();
  const Stage& stage = planned->stage;
  const std::vector<TensorType>& states = planned->states;
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    const DeviceInfo& info = runtime.device(d).info();
    MemoryUse use{info.id, 0, working_bytes(stage, static_cast<std::size_t>(d)), 0,
                  info.budget_bytes};
    for (std::size_t s = 0; s < states.size(); ++s) {
      if (planned->placement.state[s] == d) use.state_bytes += states[s].bytes().value_or(0);
    }
    for (const Step& step : stage.steps) {
      const auto* segment = std::get_if<SegmentStep>(&step);
      if (segment == nullptr || segment->device != d) continue;
      use.launches += static_cast<std::int64_t>(segment->launches.size());
    }
    for (const WeightUse& weight : stage.weights) {
      if (weight.device == d) use.weight_bytes += weight.bytes;
    }
    out.push_back(use);
  }
  return out;
}

}  // namespace polaris
