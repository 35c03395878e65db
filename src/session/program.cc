#include "session/program.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/checked.h"
#include "plan/host_values.h"
#include "plan/stage_planner.h"
#include "session/prepare_graph.h"

namespace polaris {
namespace {

std::string mib(std::int64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

/// Bytes that a run of the stage leases on a device.
std::int64_t working_bytes(const Stage& stage, std::size_t device) {
  std::int64_t bytes = stage.upload_bytes[device];
  for (std::int64_t slab : stage.slab_bytes[device]) bytes += slab;
  for (const Storage& storage : stage.storages) {
    const bool own = storage.kind == Storage::Kind::kLiveOut && storage.parent < 0;
    if (own && storage.device == static_cast<DeviceIndex>(device)) bytes += storage.bytes;
  }
  return bytes;
}

/// Assigns region numbers on one device: fixed weights first, then what is bound at each run.
struct RegionTable {
  std::vector<BufferView> fixed;
  std::vector<std::int32_t> weight_region;   // by stage weight index, -1: other device
  std::vector<std::int32_t> storage_region;  // by storage index (roots), -1: other device
  std::vector<LoadedStage::Region> run;
};

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

SegmentDesc to_desc(const GraphInfo& info, const Stage& stage, const RegionTable& table,
                    const SegmentStep& step, std::size_t number) {
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
    desc.launches.push_back(std::move(out));
  }
  return desc;
}

}  // namespace

Program::Program(std::shared_ptr<Runtime> runtime, Graph graph, ProgramOptions options)
    : runtime_(std::move(runtime)), graph_(std::move(graph)), options_(std::move(options)) {}

Result<std::shared_ptr<Program>> Program::compile(std::shared_ptr<Runtime> runtime, Graph graph,
                                                  const ProgramOptions& options) {
  auto report = prepare_graph(graph, *runtime, options);
  if (!report) return report.error();
  std::shared_ptr<Program> program(new Program(std::move(runtime), std::move(graph), options));
  program->pass_report_ = report.take();
  program->add_info(program->graph_);
  return program;
}

void Program::add_info(const Graph& graph) {
  GraphInfo& info = infos_[&graph];
  info.graph = &graph;
  info.placement = place_graph(graph, runtime_->spread(), options_.shares);
  info.host_needed = host_needed_values(graph);
  info.last_reader = last_readers(graph);
  for (NodeId id : graph.order()) {
    for (const auto& subgraph : graph.node(id).subgraphs) add_info(*subgraph);
  }
}

Status Program::preflight(const Stage& stage) const {
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    const DeviceInfo& info = runtime_->device(d).info();
    std::int64_t weights = 0;
    std::set<std::pair<const Constant*, std::string>> seen;
    for (const WeightUse& use : stage.weights) {
      if (use.device != d || !seen.insert({use.constant.get(), use.layout}).second) continue;
      weights += runtime_->weights(d).missing_bytes(use);
    }
    const std::int64_t working = working_bytes(stage, static_cast<std::size_t>(d));
    const std::int64_t reusable = std::min(working, runtime_->pool(d).free_bytes());
    const std::int64_t live = runtime_->device(d).counters().live_bytes;
    const std::int64_t needed = live + weights + working - reusable;
    if (needed <= info.budget_bytes) continue;
    return Error::out_of_memory("[preflight] " + info.id + " (" + info.name + "): weights " +
                                mib(weights) + " and working memory " + mib(working) +
                                " on top of " + mib(live) + " in use, got a need of " +
                                mib(needed) + ", wanted at most " + mib(info.budget_bytes) +
                                "; nothing was loaded");
  }
  return Status::success();
}

Result<std::unique_ptr<LoadedStage>> Program::load(Stage stage, const GraphInfo& info) {
  auto out = std::make_unique<LoadedStage>();
  out->stage = std::move(stage);
  std::int64_t all_bytes = 0;
  std::int64_t done_bytes = 0;
  for (const WeightUse& use : out->stage.weights) {
    all_bytes += runtime_->weights(use.device).missing_bytes(use);
  }
  for (const WeightUse& use : out->stage.weights) {
    const std::int64_t missing = runtime_->weights(use.device).missing_bytes(use);
    auto weight = runtime_->weights(use.device).get(use);
    if (!weight) return weight.error();
    out->weights.push_back(weight.take());
    done_bytes += missing;
    if (missing > 0 && options_.progress) options_.progress(done_bytes, all_bytes);
  }
  std::vector<RegionTable> tables;
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    tables.push_back(make_table(*out, d));
    out->regions.push_back(tables.back().run);
  }
  for (std::size_t s = 0; s < out->stage.steps.size(); ++s) {
    out->executables.emplace_back();
    const auto* segment = std::get_if<SegmentStep>(&out->stage.steps[s]);
    if (segment == nullptr) continue;
    const RegionTable& table = tables[static_cast<std::size_t>(segment->device)];
    auto executable =
        runtime_->device(segment->device).compile(to_desc(info, out->stage, table, *segment, s));
    if (!executable) return executable.error();
    out->executables.back() = executable.take();
  }
  return out;
}

Result<std::shared_ptr<const LoadedStage>> Program::stage(const std::string& key,
                                                          const GraphInfo& info, std::size_t begin,
                                                          std::vector<LiveIn> live_in,
                                                          std::span<const TensorType> state_types) {
  const std::lock_guard lock(mutex_);
  if (const auto at = plans_.find(key); at != plans_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, at->second.used);
    return at->second.stage;
  }
  PlanContext context;
  context.devices = runtime_->devices();
  context.placement = &info.placement;
  context.host_needed = &info.host_needed;
  context.last_reader = &info.last_reader;
  context.state_types = state_types;
  context.outputs_to_host = info.graph == &graph_;
  auto planned = plan_stage(context, *info.graph, begin, std::move(live_in));
  if (!planned) return planned.error();
  if (auto status = preflight(*planned); !status) return status.error();
  auto loaded = load(planned.take(), info);
  if (!loaded) return loaded.error();
  ++plans_created_;
  while (plans_.size() >= options_.plans_max) {
    const std::string oldest = *by_use_.back();
    by_use_.pop_back();
    plans_.erase(oldest);
  }
  std::shared_ptr<const LoadedStage> stage(loaded.take());
  const auto at = plans_.emplace(key, Cached{stage, {}}).first;
  by_use_.push_front(&at->first);
  at->second.used = by_use_.begin();
  return stage;
}

std::vector<MemoryUse> Program::memory() const {
  const std::lock_guard lock(mutex_);
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    MemoryUse use;
    use.device = runtime_->device(d).info().id;
    use.budget_bytes = runtime_->device(d).info().budget_bytes;
    std::set<const PackedWeight*> seen;
    for (const auto& [key, cached] : plans_) {
      const LoadedStage& loaded = *cached.stage;
      for (std::size_t w = 0; w < loaded.weights.size(); ++w) {
        if (loaded.stage.weights[w].device != d) continue;
        if (seen.insert(loaded.weights[w].get()).second)
          use.weight_bytes += loaded.weights[w]->bytes;
      }
      use.arena_bytes =
          std::max(use.arena_bytes, working_bytes(loaded.stage, static_cast<std::size_t>(d)));
    }
    out.push_back(use);
  }
  return out;
}

Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options) {
  Graph copy = graph.clone();
  auto report = prepare_graph(copy, runtime, options);
  if (!report) return report.error();
  const Placement placement = place_graph(copy, runtime.spread(), options.shares);
  const std::vector<bool> host_needed = host_needed_values(copy);
  const std::vector<std::int64_t> last_reader = last_readers(copy);
  std::vector<TensorType> states;
  for (const State& state : copy.states()) {
    TensorType& type = states.emplace_back(state.type);
    for (int d = 0; d < type.shape.rank(); ++d) {
      if (!is_static_dim(type.shape[d])) type.shape[d] = 1;
    }
    if (!state.paged || type.shape.rank() < 2) continue;
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
    for (const WeightUse& weight : stage->weights) {
      if (weight.device == d) use.weight_bytes += weight.bytes;
    }
    out.push_back(use);
  }
  return out;
}

}  // namespace polaris
