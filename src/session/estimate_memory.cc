#include "session/estimate_memory.h"

#include "base/checked.h"
#include "session/lease_granule.h"
#include "session/stage_loader.h"

namespace polaris {
namespace {

/// What runs of the stage lease of a device besides weights and states.
std::int64_t leased_bytes(Runtime& runtime, const Stage& stage, DeviceIndex device) {
  const auto d = static_cast<std::size_t>(device);
  std::int64_t sum = 0;
  const auto add = [&](std::int64_t bytes) {
    if (bytes > 0) sum += round_up(bytes, kLeaseGranuleBytes);
  };
  for (const std::int64_t slab : stage.slab_bytes[d]) add(slab);
  add(stage.upload_bytes[d]);
  for (const Storage& storage : stage.storages) {
    const bool own = storage.kind == Storage::Kind::kLiveOut && storage.parent < 0;
    if (own && storage.device == device) add(storage.bytes);
  }
  std::int64_t reports = 0;
  for (const Step& step : stage.steps) {
    if (const auto* transfer = std::get_if<TransferStep>(&step)) {
      // Between two cards bytes pass through memory of the one that gets them.
      const bool hop = transfer->to_device == device && transfer->from_device != device &&
                       !runtime.device(device).info().host_memory &&
                       !runtime.device(transfer->from_device).info().host_memory;
      if (hop) add(transfer->to.bytes);
      continue;
    }
    const auto& segment = std::get<SegmentStep>(step);
    if (segment.device != device) continue;
    for (const Launch& launch : segment.launches) reports += launch.kernel->reports() ? 1 : 0;
  }
  add(reports * runtime.device(device).info().alignment_bytes);
  return sum;
}

}  // namespace

std::vector<MemoryUse> memory_of(Runtime& runtime, const PlannedAhead& planned) {
  const Stage& stage = planned.stage;
  const std::vector<TensorType>& states = planned.states;
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    const DeviceInfo& info = runtime.device(d).info();
    MemoryUse use{info.id, 0, leased_bytes(runtime, stage, d), 0, info.budget_bytes};
    for (std::size_t s = 0; s < states.size(); ++s) {
      if (planned.placement.state[s] == d) use.state_bytes += states[s].bytes().value_or(0);
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

Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options) {
  auto planned = plan_ahead(runtime, graph, inputs, cached_tokens, options);
  if (!planned) return planned.error();
  return memory_of(runtime, *planned);
}

}  // namespace polaris
