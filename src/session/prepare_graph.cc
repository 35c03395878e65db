#include "session/prepare_graph.h"

#include <algorithm>
#include <vector>

#include "pass/rewrite.h"
#include "pass/runner.h"

namespace polaris {
namespace {

/// Whether one of the devices has a kernel for a node of these types.
bool some_device_runs(const Runtime& runtime, const NodeTypes& node) {
  std::vector<OperandDesc> inputs;
  std::vector<OperandDesc> outputs;
  for (const TensorType& type : node.inputs)
    inputs.push_back({type, Layout::kRowMajor, nullptr, true});
  for (const TensorType& type : node.outputs) {
    outputs.push_back({type, Layout::kRowMajor, nullptr, true});
  }
  const NodeDesc desc{node.op, node.attrs, "", inputs, outputs, node.values};
  return std::any_of(runtime.devices().begin(), runtime.devices().end(),
                     [&](const Device* device) { return device->select(desc).ok(); });
}

Target target_of(const Runtime& runtime) {
  Target target;
  target.supports = [&runtime](const NodeTypes& node) { return some_device_runs(runtime, node); };
  for (DeviceIndex d = 0; d < runtime.spread(); ++d) {
    const DeviceInfo& info = runtime.devices()[static_cast<std::size_t>(d)]->info();
    const std::int64_t limit = std::min(info.binding_bytes_max, info.allocation_bytes_max);
    target.binding_bytes_max = std::min(target.binding_bytes_max, limit);
  }
  target.fuses_chains = true;
  return target;
}

}  // namespace

Result<std::string> prepare_graph(Graph& graph, const Runtime& runtime,
                                  const ProgramOptions& options) {
  if (auto status = infer_graph(graph); !status) return status.error();
  // Users' rewrites come first: they see the graph as the file gave it.
  std::vector<Rewrite> rewrites;
  for (const UserPass& pass : options.user_passes) {
    auto rewrite = parse_rewrite(pass.name, pass.text, runtime.ops());
    if (!rewrite) return rewrite.error();
    rewrites.push_back(rewrite.take());
  }
  auto rewritten = run_rewrites(graph, rewrites, runtime.ops());
  if (!rewritten) return rewritten.error();
  if (!options.run_passes) return rewritten->to_string();
  PassOptions pass_options;
  pass_options.disabled.insert(options.disabled_passes.begin(), options.disabled_passes.end());
  auto report = run_passes(graph, target_of(runtime), runtime.ops(), pass_options);
  if (!report) return report.error();
  return rewritten->to_string() + report->to_string();
}

Status check_user_pass(const UserPass& pass, const OpSet& ops) {
  auto rewrite = parse_rewrite(pass.name, pass.text, ops);
  if (!rewrite) return rewrite.error();
  return Status::success();
}

}  // namespace polaris
