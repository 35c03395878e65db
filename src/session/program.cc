#include "session/program.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/os/mapping_guard.h"
#include "ir/host_only.h"
#include "ir/nested.h"
#include "plan/host_values.h"
#include "plan/stage_planner.h"
#include "session/prepare_graph.h"

namespace polaris {
namespace {

/// By input: the device of the first node that reads it on one.
std::vector<DeviceIndex> first_readers(const Graph& graph, const Placement& placement) {
  IdVector<ValueId, DeviceIndex> by_value(graph.value_count(), kHost);
  for (NodeId id : graph.order()) {
    if (runs_on_host(graph, graph.node(id))) continue;
    for (ValueId input : graph.node(id).inputs) {
      if (!input.valid() || is_host_only(graph.value(input).type)) continue;
      DeviceIndex& device = by_value[input];
      if (device == kHost) device = placement.node[id];
    }
  }
  std::vector<DeviceIndex> out;
  for (ValueId id : graph.inputs()) out.push_back(by_value[id]);
  return out;
}

void add_files_of(const Graph& graph, std::set<std::shared_ptr<const MappedFile>>& files) {
  for (ValueId id : graph.value_ids()) {
    const auto& constant = graph.value(id).constant;
    if (constant && constant->file) files.insert(constant->file);
  }
}

void add_files(const Graph& root, std::set<std::shared_ptr<const MappedFile>>& files) {
  for (const Graph* graph : graphs_within(root)) add_files_of(*graph, files);
}

}  // namespace

Program::Program(std::shared_ptr<Runtime> runtime, ProgramOptions options)
    : runtime_(std::move(runtime)),
      options_(std::move(options)),
      plans_(options_.plans, [this] { return runtime_->tick(); }) {
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    claims_.push_back(runtime_->weights(d).claim());
  }
  runtime_->reclaimers().add(plans_);
}

Program::~Program() { runtime_->reclaimers().remove(plans_); }

Result<std::shared_ptr<Program>> Program::compile(std::shared_ptr<Runtime> runtime, Model& model,
                                                  std::span<const std::string> functions,
                                                  const ProgramOptions& options) {
  std::vector<std::string> names(functions.begin(), functions.end());
  if (names.empty()) {
    for (const auto& [name, graph] : model.functions) names.push_back(name);
  }
  if (names.empty()) names.emplace_back();  // an error that says why there is none
  std::shared_ptr<Program> program(new Program(std::move(runtime), options));
  for (const std::string& wanted : names) {
    auto name = model.function_name(wanted);
    if (!name) return name.error();
    auto graph = model.take(*name);
    if (!graph) return graph.error();
    const bool decodes = *name == "main" && model.decoder;
    auto status = program->add_function(*name, graph.take(), decodes ? &*model.decoder : nullptr);
    if (!status) return status.error();
  }
  const Function* main = program->find("main");
  if (main != nullptr) {
    program->decoder_ = model.decoder;
    program->embedder_ = model.embedder;
  }
  program->main_ = main != nullptr ? main : &program->functions_.begin()->second;
  return program;
}

Result<std::shared_ptr<Program>> Program::compile(std::shared_ptr<Runtime> runtime, Graph graph,
                                                  const ProgramOptions& options) {
  std::shared_ptr<Program> program(new Program(std::move(runtime), options));
  auto status = program->add_function("main", std::move(graph));
  if (!status) return status.error();
  program->main_ = &program->functions_.begin()->second;
  return program;
}

const Function* Program::find(std::string_view function) const {
  const auto found = functions_.find(function);
  return found == functions_.end() ? nullptr : &found->second;
}

Status Program::add_function(const std::string& name, Graph graph, const DecoderContract* decoder) {
  // Before passes turn constants of files into constants of memory.
  add_files(graph, files_);
  auto report = prepare_graph(graph, *runtime_, options_, decoder);
  if (!report) return report.error();
  Function& function = functions_[name];
  function.name = name;
  function.graph = std::move(graph);
  function.pass_report = report.take();
  add_infos(function.graph);
  infos_.at(&function.graph).function = true;
  for (const StateUse& use : function.graph.states()) {
    if (auto status = add_state(function, use); !status) return status;
  }
  function.input_device = first_readers(function.graph, info(function.graph).placement);
  return check_files();
}

Status Program::add_state(Function& function, const StateUse& use) {
  Placement& placement = infos_.at(&function.graph).placement;
  DeviceIndex& device = placement.state[function.states.size()];
  const auto held = std::ranges::find_if(
      states_, [&](const ProgramState& other) { return other.state->name == use.state->name; });
  function.states.push_back(static_cast<std::size_t>(held - states_.begin()));
  function.keeps_states = function.keeps_states || !use.state->paged;
  if (held == states_.end()) {
    states_.push_back({use.state, device});
    return Status::success();
  }
  // Where the first function has put it; nodes follow the states that they write.
  device = held->device;
  return check_same_state(*held->state, *use.state);
}

void Program::add_infos(const Graph& root) {
  for (const Graph* graph : graphs_within(root)) add_info(*graph);
}

void Program::add_info(const Graph& graph) {
  GraphInfo& info = infos_[&graph];
  info.graph = &graph;
  info.placement = placement_of(graph);
  info.host_needed = host_needed_values(graph);
  info.arithmetic = host_arithmetic(graph, info.host_needed);
  info.last_reader = last_readers(graph);
  for (NodeId id : graph.order()) {
    info.on_host.push_back(runs_on_host(graph, graph.node(id)));
    info.writes_in_place = info.writes_in_place || graph.node(id).op->has_trait(kStateful);
  }
}

Result<std::shared_ptr<const LoadedStage>> Program::stage(const std::string& key,
                                                          const GraphInfo& info, std::size_t begin,
                                                          std::vector<LiveIn> live_in,
                                                          std::span<const TensorType> state_types,
                                                          const ValueFlags* device_outputs) {
  return plans_.get(info.graph, key, [&]() -> Result<std::unique_ptr<LoadedStage>> {
    PlanContext context;
    context.devices = runtime_->devices();
    context.placement = &info.placement;
    context.host_needed = &info.host_needed;
    context.last_reader = &info.last_reader;
    context.state_types = state_types;
    context.outputs_to_host = info.function;
    context.device_outputs = device_outputs;
    auto planned = plan_stage(context, *info.graph, begin, std::move(live_in));
    if (!planned) return planned.error();
    if (auto status = preflight(*runtime_, *planned); !status) return status.error();
    auto loaded = load_stage(*runtime_, info, planned.take(), claims_, options_.progress);
    if (loaded) ++plans_created_;
    return loaded;
  });
}

void Program::drop_plans() {
  while (plans_.drop_oldest_idle()) {
  }
}

Status Program::check_files() const {
  for (const auto& file : files_) {
    if (is_damaged(*file)) return check_mapping(*file);
  }
  return Status::success();
}

std::vector<MemoryUse> Program::memory() const {
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    MemoryUse use;
    use.device = runtime_->device(d).info().id;
    use.budget_bytes = runtime_->device(d).budget_bytes();
    std::set<const PackedWeight*> seen;
    plans_.for_each([&](const LoadedStage& loaded) {
      for (std::size_t w = 0; w < loaded.weights.size(); ++w) {
        if (loaded.stage.weights[w].device != d) continue;
        if (seen.insert(loaded.weights[w].get()).second)
          use.weight_bytes += loaded.weights[w]->bytes;
      }
      use.arena_bytes =
          std::max(use.arena_bytes, working_bytes(loaded.stage, static_cast<std::size_t>(d)));
    });
    out.push_back(use);
  }
  return out;
}

}  // namespace polaris
