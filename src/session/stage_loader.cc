#include "session/stage_loader.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/os/cpu_features.h"
#include "base/tasks.h"

namespace polaris {
namespace {

// Weights being packed at a time: each holds its packed bytes on the host until they are written.
constexpr int kBroughtAtOnce = 4;

std::string mib(std::int64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

/// Assigns region numbers on one device: fixed weights first, then what is bound at each run.
struct RegionTable {
  std::vector<BufferView> fixed;
  std::vector<std::int32_t> weight_region;   // by stage weight index, -1: other device
  std::vector<std::int32_t> storage_region;  // by storage index (roots), -1: other device
  std::vector<LoadedStage::Region> run;
  std::int32_t reports = -1;
};

/// Gives every launch that reports a status word, per device.
std::vector<std::vector<LoadedStage::Report>> find_reports(Runtime& runtime, const Stage& stage) {
  std::vector<std::vector<LoadedStage::Report>> out(
      static_cast<std::size_t>(runtime.device_count()));
  for (const auto& step : stage.steps) {
    const auto* segment = std::get_if<SegmentStep>(&step);
    if (segment == nullptr) continue;
    auto& list = out[static_cast<std::size_t>(segment->device)];
    const std::int64_t alignment = runtime.device(segment->device).info().alignment_bytes;
    for (const Launch& launch : segment->launches) {
      if (!launch.kernel->reports()) continue;
      const std::int64_t offset = static_cast<std::int64_t>(list.size()) * alignment;
      list.push_back({launch.node, launch.kernel.get(), offset});
    }
  }
  return out;
}

RegionTable make_table(const LoadedStage& loaded, DeviceIndex device) {
  using Kind = LoadedStage::Region::Kind;
  const Stage& stage = loaded.stage;
  RegionTable table;
  table.weight_region.assign(stage.weights.size(), -1);
  table.storage_region.assign(stage.storages.size(), -1);
  for (std::size_t w = 0; w < stage.weights.size(); ++w) {
    if (stage.weights[w].device != device) continue;
    table.weight_region[w] = static_cast<std::int32_t>(table.fixed.size());
    table.fixed.push_back(loaded.weights[w]->view());
  }
  const auto base = static_cast<std::int32_t>(table.fixed.size());
  const auto add = [&](Kind kind, std::int32_t index) {
    table.run.push_back({kind, index});
    return base + static_cast<std::int32_t>(table.run.size()) - 1;
  };
  const std::size_t d = static_cast<std::size_t>(device);
  std::vector<std::int32_t> slabs;
  for (std::size_t s = 0; s < stage.slab_bytes[d].size(); ++s) {
    slabs.push_back(add(Kind::kSlab, static_cast<std::int32_t>(s)));
  }
  std::int32_t upload = -1;
  if (stage.upload_bytes[d] > 0) upload = add(Kind::kUpload, 0);
  for (std::size_t s = 0; s < stage.storages.size(); ++s) {
    const Storage& storage = stage.storages[s];
    if (storage.device != device || storage.parent >= 0) continue;
    std::int32_t& region = table.storage_region[s];
    if (storage.kind == Storage::Kind::kArena) {
      region = slabs[static_cast<std::size_t>(storage.slab)];
    } else if (storage.kind == Storage::Kind::kUpload) {
      region = upload;
    } else {
      region = add(Kind::kStorage, static_cast<std::int32_t>(s));
    }
  }
  if (!loaded.reports[d].empty()) table.reports = add(Kind::kReports, 0);
  return table;
}

OperandRef to_ref(const Stage& stage, const RegionTable& table, const Operand& operand) {
  if (operand.weight >= 0) {
    return {table.weight_region[static_cast<std::size_t>(operand.weight)], operand.offset,
            operand.bytes};
  }
  if (operand.storage < 0) return {};
  const Operand root = stage.resolve(operand);
  const Storage& storage = stage.storages[static_cast<std::size_t>(root.storage)];
  const bool placed =
      storage.kind == Storage::Kind::kArena || storage.kind == Storage::Kind::kUpload;
  return {table.storage_region[static_cast<std::size_t>(root.storage)],
          root.offset + (placed ? storage.offset : 0), operand.bytes};
}

/// `reported`: launches of the device that report, so far.
SegmentDesc to_desc(const GraphInfo& info, const LoadedStage& loaded, const RegionTable& table,
                    const SegmentStep& step, std::size_t number, std::size_t& reported) {
  const Stage& stage = loaded.stage;
  const auto& reports = loaded.reports[static_cast<std::size_t>(step.device)];
  SegmentDesc desc;
  desc.name = "segment " + std::to_string(number);
  desc.fixed = table.fixed;
  desc.run_regions = static_cast<std::int32_t>(table.run.size());
  for (const Launch& launch : step.launches) {
    LaunchDesc out;
    out.kernel = launch.kernel;
    out.node_name = info.graph->node(launch.node).name;
    for (const Operand& input : launch.inputs) out.inputs.push_back(to_ref(stage, table, input));
    for (const Operand& output : launch.outputs) {
      out.outputs.push_back(to_ref(stage, table, output));
    }
    out.workspace = to_ref(stage, table, launch.workspace);
    if (launch.kernel->reports()) {
      out.status = {table.reports, reports[reported++].offset, sizeof(std::uint32_t)};
    }
    desc.launches.push_back(std::move(out));
  }
  return desc;
}

/// Packs and uploads what is not there, several weights at a time.
Status bring_weights(Runtime& runtime, LoadedStage& loaded, std::span<const WeightClaim> claims,
                     const LoadProgress& progress) {
  const auto& uses = loaded.stage.weights;
  loaded.weights.resize(uses.size());
  std::vector<std::int64_t> missing(uses.size());
  std::int64_t all_bytes = 0;
  std::int64_t done_bytes = 0;
  std::mutex progress_mutex;
  const auto bring = [&](std::size_t w) {
    const auto device = static_cast<std::size_t>(uses[w].device);
    auto weight =
        runtime.weights(uses[w].device).get(uses[w], uses[w].of_graph ? &claims[device] : nullptr);
    if (!weight) return Status(weight.error());
    loaded.weights[w] = weight.take();
    const std::lock_guard lock(progress_mutex);
    done_bytes += missing[w];
    if (missing[w] > 0 && progress) progress(done_bytes, all_bytes);
    return Status::success();
  };
  // Those that are there first: bringing the others must not let them go.
  std::vector<std::size_t> absent;
  for (std::size_t w = 0; w < uses.size(); ++w) {
    missing[w] = runtime.weights(uses[w].device).missing_bytes(uses[w]);
    all_bytes += missing[w];
    if (missing[w] > 0) {
      absent.push_back(w);
    } else if (Status there = bring(w); !there) {
      return there;
    }
  }
  return run_tasks(absent.size(), std::min(usable_processors(), kBroughtAtOnce),
                   [&](std::size_t a) { return bring(absent[a]); });
}

}  // namespace

std::int64_t working_bytes(const Stage& stage, std::size_t device) {
  std::int64_t bytes = stage.upload_bytes[device];
  for (std::int64_t slab : stage.slab_bytes[device]) bytes += slab;
  for (const Storage& storage : stage.storages) {
    const bool own = storage.kind == Storage::Kind::kLiveOut && storage.parent < 0;
    if (own && storage.device == static_cast<DeviceIndex>(device)) bytes += storage.bytes;
  }
  return bytes;
}

std::int64_t host_bytes(const LoadedStage& loaded) {
  // A launch with its kernel and its part of a recording; kernels that take up tensors are rare.
  constexpr std::int64_t kLaunchBytes = 2048;
  const Stage& stage = loaded.stage;
  std::size_t bytes = sizeof loaded + stage.storages.size() * sizeof(Storage) +
                      stage.weights.size() * (sizeof(WeightUse) + sizeof(PackedWeight)) +
                      stage.live_in.size() * sizeof(LiveIn) +
                      stage.live_out.size() * sizeof(LiveOut);
  for (const LiveIn& live : stage.live_in) bytes += live.known.bytes().size();
  for (const LiveOut& live : stage.live_out) bytes += live.host.bytes().size();
  for (const WeightUse& use : stage.weights) {
    if (!use.of_graph) bytes += use.constant->data.bytes().size();
  }
  auto out = static_cast<std::int64_t>(bytes);
  for (const Step& step : stage.steps) {
    const auto* segment = std::get_if<SegmentStep>(&step);
    out += segment == nullptr ? std::int64_t{sizeof step}
                              : kLaunchBytes * static_cast<std::int64_t>(segment->launches.size());
  }
  return out;
}

Status preflight(Runtime& runtime, const Stage& stage) {
  // What of the weights is there already must not make room for the rest.
  std::vector<std::shared_ptr<const PackedWeight>> present(stage.weights.size());
  const Status found = run_tasks(present.size(), usable_processors(), [&](std::size_t w) {
    const WeightUse& use = stage.weights[w];
    present[w] = runtime.weights(use.device).find(use);  // reads all of it, the first time
    return Status::success();
  });
  if (!found) return found;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    const DeviceInfo& info = runtime.device(d).info();
    std::int64_t weights = 0;
    std::set<std::pair<const Constant*, std::string>> seen;
    for (const WeightUse& use : stage.weights) {
      if (use.device != d || !seen.insert({use.constant.get(), use.layout}).second) continue;
      weights += runtime.weights(d).missing_bytes(use);
    }
    const std::int64_t working = working_bytes(stage, static_cast<std::size_t>(d));
    const Status fits = runtime.memory(d).make_room(weights + working);
    if (fits) continue;
    return Error::out_of_memory("[preflight] " + info.id + " (" + info.name + "): weights " +
                                mib(weights) + " and working memory " + mib(working) + ", " +
                                fits.error().message() + "; nothing was loaded");
  }
  return Status::success();
}

Result<std::unique_ptr<LoadedStage>> load_stage(Runtime& runtime, const GraphInfo& info,
                                                Stage stage, std::span<const WeightClaim> claims,
                                                const LoadProgress& progress) {
  auto out = std::make_unique<LoadedStage>();
  out->stage = std::move(stage);
  if (const Status brought = bring_weights(runtime, *out, claims, progress); !brought) {
    return brought.error();
  }
  out->reports = find_reports(runtime, out->stage);
  std::vector<std::size_t> reported(out->reports.size(), 0);
  std::vector<RegionTable> tables;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    tables.push_back(make_table(*out, d));
    out->regions.push_back(tables.back().run);
  }
  for (std::size_t s = 0; s < out->stage.steps.size(); ++s) {
    out->executables.emplace_back();
    const auto* segment = std::get_if<SegmentStep>(&out->stage.steps[s]);
    if (segment == nullptr) continue;
    const RegionTable& table = tables[static_cast<std::size_t>(segment->device)];
    auto executable = runtime.device(segment->device)
                          .compile(to_desc(info, *out, table, *segment, s,
                                           reported[static_cast<std::size_t>(segment->device)]));
    if (!executable) return executable.error();
    out->executables.back() = executable.take();
  }
  return out;
}

}  // namespace polaris
