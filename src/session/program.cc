#include "session/program.h"

#include <algorithm>
#include <set>
#include <utility>

#include "plan/host_values.h"
#include "plan/stage_planner.h"
#include "session/prepare_graph.h"

namespace polaris {

Program::Program(std::shared_ptr<Runtime> runtime, Graph graph, ProgramOptions options)
    : runtime_(std::move(runtime)),
      graph_(std::move(graph)),
      options_(std::move(options)),
      plans_(options_.plans, [this] { return runtime_->tick(); }) {}

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
    info.writes_in_place = info.writes_in_place || graph.node(id).op->has_trait(kStateful);
    for (const auto& subgraph : graph.node(id).subgraphs) add_info(*subgraph);
  }
}

Result<std::shared_ptr<const LoadedStage>> Program::stage(const std::string& key,
                                                          const GraphInfo& info, std::size_t begin,
                                                          std::vector<LiveIn> live_in,
                                                          std::span<const TensorType> state_types) {
  return plans_.get(info.graph, key, [&]() -> Result<std::unique_ptr<LoadedStage>> {
    PlanContext context;
    context.devices = runtime_->devices();
    context.placement = &info.placement;
    context.host_needed = &info.host_needed;
    context.last_reader = &info.last_reader;
    context.state_types = state_types;
    context.outputs_to_host = info.graph == &graph_;
    auto planned = plan_stage(context, *info.graph, begin, std::move(live_in));
    if (!planned) return planned.error();
    if (auto status = preflight(*runtime_, *planned); !status) return status.error();
    auto loaded = load_stage(*runtime_, info, planned.take(), options_.progress);
    if (loaded) ++plans_created_;
    return loaded;
  });
}

std::vector<MemoryUse> Program::memory() const {
  std::vector<MemoryUse> out;
  for (DeviceIndex d = 0; d < runtime_->device_count(); ++d) {
    MemoryUse use;
    use.device = runtime_->device(d).info().id;
    use.budget_bytes = runtime_->device(d).info().budget_bytes;
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
