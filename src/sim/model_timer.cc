#include "sim/model_timer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "backend/cpu/cpu_device.h"
#include "sim/dependent_groups.h"
#include "sim/launch_timer.h"
#include "sim/sim_device.h"

namespace polaris::gcn {
namespace {

constexpr DeviceIndex kCard = 0;  // of the runtime

/// Bytes over the bus in a run: what the stage uploads, moves, and gives the host.
std::int64_t bus_bytes(const Stage& stage) {
  std::int64_t out = 0;
  for (const Storage& storage : stage.storages) {
    if (storage.kind == Storage::Kind::kUpload && storage.device == kCard) out += storage.bytes;
  }
  for (const LiveOut& live : stage.live_out) {
    if (live.device != kCard || live.at.storage < 0) continue;
    const Operand root = stage.resolve(live.at);
    if (stage.storages[static_cast<std::size_t>(root.storage)].readback) {
      out += live.type.bytes().value_or(0);
    }
  }
  for (const Step& step : stage.steps) {
    const auto* transfer = std::get_if<TransferStep>(&step);
    if (transfer == nullptr || transfer->from_device == transfer->to_device) continue;
    out += transfer->to.bytes;
  }
  return out;
}

/// A launch by all of its dispatches.
NodeTiming sum_of(const Graph& graph, const polaris::Launch& launch,
                  const std::vector<DispatchTime>& times) {
  const Node& node = graph.node(launch.node);
  NodeTiming out{node.name, launch.relayout ? "layout" : std::string(node.op->name),
                 std::string(launch.kernel->name())};
  double longest = -1;
  for (const DispatchTime& time : times) {
    out.us += time.us;
    ++out.dispatches;
    if (time.us <= longest) continue;
    longest = time.us;
    out.bound = time.bound;
    out.share = time.share;
  }
  return out;
}

/// The card, and the cpu behind it.
Result<std::shared_ptr<Runtime>> runtime_of(std::unique_ptr<Device> card, OpSet ops) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(card));
  auto cpu = make_cpu_device({});
  if (!cpu) return cpu.error();
  devices.push_back(cpu.take());
  return std::make_shared<Runtime>(std::move(devices), 1, std::move(ops));
}

}  // namespace

Result<std::shared_ptr<ProgramCache>> ModelTimer::open_compiler(const std::string& file) {
  auto programs = ProgramCache::open(radv::kDefaultIcd, file);
  if (!programs) {
    if (!file.empty()) return programs.error();
    return Error::not_found(
        "simulating a card needs Mesa's Vulkan driver for AMD and the Vulkan loader (Debian: "
        "mesa-vulkan-drivers, libvulkan1): " +
        programs.error().message());
  }
  return std::shared_ptr<ProgramCache>(programs.take());
}

Result<std::shared_ptr<Runtime>> ModelTimer::runtime_for(std::shared_ptr<ProgramCache> programs,
                                                         OpSet ops) {
  return runtime_of(make_sim_device(std::move(programs)), std::move(ops));
}

Result<std::shared_ptr<Runtime>> ModelTimer::runtime_to_plan(OpSet ops) {
  return runtime_of(make_planning_device(), std::move(ops));
}

ModelTimer::ModelTimer(std::shared_ptr<ProgramCache> programs, Chip chip, std::string cache_path)
    : programs_(std::move(programs)), cache_(std::move(cache_path)) {
  options_.chip = std::move(chip);
}

Result<RunTiming> ModelTimer::time(const PlannedAhead& planned, std::span<const Tensor> inputs,
                                   const Told& told) {
  const Stage& stage = planned.stage;
  std::size_t all = 0;
  for (const Step& step : stage.steps) {
    if (const auto* segment = std::get_if<SegmentStep>(&step)) all += segment->launches.size();
  }
  RunTiming out;
  LaunchTimer timer(*programs_, cache_, options_, stage, inputs);
  DependentGroups groups(stage);
  std::size_t done = 0;
  for (const Step& step : stage.steps) {
    const auto* segment = std::get_if<SegmentStep>(&step);
    if (segment == nullptr) continue;
    for (const polaris::Launch& launch : segment->launches) {
      if (told) told(done++, all);
      if (segment->device != kCard) {
        out.elsewhere.push_back(planned.graph.node(launch.node).name);
        continue;
      }
      const auto times = timer.time(launch);
      if (!times) {
        return times.error().with_context("node '" + planned.graph.node(launch.node).name + "'");
      }
      const auto& dispatches = static_cast<const vulkan::VulkanKernel&>(*launch.kernel).dispatches;
      out.gaps += groups.begins(launch) ? 1 : 0;
      for (std::size_t d = 1; d < dispatches.size(); ++d) {
        out.gaps += dispatches[d].barrier_before ? 1 : 0;
      }
      out.nodes.push_back(sum_of(planned.graph, launch, *times));
      out.kernels_us += out.nodes.back().us;
    }
  }
  out.bus_bytes = bus_bytes(stage);
  return out;
}

}  // namespace polaris::gcn
