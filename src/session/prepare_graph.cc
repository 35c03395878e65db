#include "session/prepare_graph.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "pass/rewrite.h"
#include "pass/runner.h"
#include "plan/layout_choice.h"
#include "plan/placement.h"

namespace polaris {
namespace {

/// Whether the device has a kernel for a node of these types and constants.
bool runs(const Device& device, const InferContext& node,
          std::span<const Constant* const> constants) {
  const OfferedNode offered(node, std::vector<bool>(node.outputs.size(), true), [&](std::size_t i) {
    return InputHome{constants[i], Layout::kRowMajor};
  });
  return device.select(Offer(offered, Layout::kRowMajor).desc()).ok();
}

Targets targets_of(const Runtime& runtime) {
  std::vector<Target> targets;
  for (const Device* device : runtime.devices()) {
    Target& target = targets.emplace_back();
    target.supports = [device](const InferContext& node,
                               std::span<const Constant* const> constants) {
      return runs(*device, node, constants);
    };
    const DeviceInfo& info = device->info();
    target.binding_bytes_max = std::min(info.binding_bytes_max, info.allocation_bytes_max);
    target.fuses_chains = true;
    target.fuses_stages = !info.host_memory;
  }
  return Targets(std::move(targets));
}

PlaceOptions place_options(const Runtime& runtime, const ProgramOptions& options,
                           const DecoderContract* decoder) {
  PlaceOptions out;
  out.layers = options.layers;
  out.decoder = decoder;
  out.spread = runtime.spread();
  out.shares = options.shares;
  out.cached_tokens = options.cached_tokens;
  for (const Device* device : runtime.devices()) {
    out.capacity_bytes.push_back(device->info().budget_bytes);
  }
  return out;
}

}  // namespace

Result<std::string> prepare_graph(Graph& graph, const Runtime& runtime,
                                  const ProgramOptions& options, const DecoderContract* decoder) {
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
  const auto place = [&](Graph& placed) {
    place_graph(placed, runtime.devices(), place_options(runtime, options, decoder));
    return Status::success();
  };
  if (!options.run_passes) {
    if (auto status = place(graph); !status) return status.error();
    return rewritten->to_string();
  }
  PassOptions pass_options;
  pass_options.disabled.insert(options.disabled_passes.begin(), options.disabled_passes.end());
  pass_options.place = place;
  auto report = run_passes(graph, targets_of(runtime), runtime.ops(), pass_options);
  if (!report) return report.error();
  return rewritten->to_string() + report->to_string();
}

Status check_user_pass(const UserPass& pass, const OpSet& ops) {
  auto rewrite = parse_rewrite(pass.name, pass.text, ops);
  if (!rewrite) return rewrite.error();
  return Status::success();
}

}  // namespace polaris
