#include <chrono>
#include <cstdio>

#include "gcn/commands.h"
#include "gcn/node_setup.h"
#include "gcn/timing_row.h"
#include "sim/dispatch_timer.h"

namespace polaris::gcn {
namespace {

Status time_node(ProgramCache& programs, const Graph& graph, const Node& node,
                 const TimingOptions& options) {
  NodeSetup setup;
  Result<const vulkan::VulkanKernel*> kernel = setup.select(graph, node);
  if (!kernel) return kernel.error();
  for (std::size_t d = 0; d < (*kernel)->dispatches.size(); ++d) {
    const auto start = std::chrono::steady_clock::now();
    const auto timed = time_dispatch(programs, **kernel, d, setup.operands(), options);
    if (!timed) return timed.error();
    if (timed->program == nullptr) continue;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    print_timing({node.name, std::string((*kernel)->name()), options.chip.name, took.count()},
                 timed->launch, *timed->program, timed->timing);
  }
  return Status::success();
}

int fail(const Error& error) {
  std::fprintf(stderr, "gcn: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int command_time(const std::vector<std::string>& args) {
  const Result<TimingArgs> parsed = parse_timing(args);
  if (!parsed) return parsed.error().message().empty() ? kWrongUsage : fail(parsed.error());
  Result<Graph> graph = read_graph(parsed->path);
  if (!graph) return fail(graph.error());
  Result<std::unique_ptr<ProgramCache>> programs = ProgramCache::open(radv::kDefaultIcd);
  if (!programs) return fail(programs.error());
  for (const NodeId id : graph->order()) {
    const Status timed = time_node(**programs, *graph, graph->node(id), parsed->options);
    if (!timed) return fail(timed.error());
  }
  return 0;
}

}  // namespace polaris::gcn
