#include "gcn/marks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audit/isa.h"
#include "audit/model.h"
#include "backend/vulkan/shader_blobs.h"
#include "gcn/node_setup.h"
#include "sim/dispatch_timer.h"

namespace polaris::gcn {
namespace {

constexpr double kApart = 0.10;

/// Constants of a variant that the list has by another value. -1: another pipeline altogether.
int differing(const radv::Variant& variant, const vulkan::Dispatch& dispatch) {
  if (variant.file != std::string(dispatch.shader) + ".spv" ||
      variant.bindings != dispatch.operands.size() ||
      variant.specialization.size() != dispatch.constants.size()) {
    return -1;
  }
  int out = 0;
  for (const auto& [id, bits] : variant.specialization) {
    if (id >= dispatch.constants.size()) return -1;
    out += dispatch.constants[id] != bits ? 1 : 0;
  }
  return out;
}

}  // namespace

bool TwoTimes::disagree() const { return std::abs(simulated_us / modelled_us - 1) > kApart; }

Result<std::unique_ptr<TwoModels>> TwoModels::open(const std::string& shaders) {
  auto out = std::make_unique<TwoModels>();
  out->variants_ = radv::read_variants(shaders);
  std::string error;
  out->device_ = radv::NullDevice::open(radv::kDefaultIcd, error);
  if (out->device_ == nullptr) return Error::not_found("[radv] " + error);
  auto programs = ProgramCache::open(radv::kDefaultIcd);
  if (!programs) return programs.error();
  out->programs_ = programs.take();
  return out;
}

const radv::Variant* TwoModels::find(const vulkan::Dispatch& dispatch) const {
  const radv::Variant* best = nullptr;
  int least = 0;
  for (const radv::Variant& variant : variants_) {
    const int count = differing(variant, dispatch);
    if (count < 0 || (best != nullptr && count >= least)) continue;
    best = &variant;
    least = count;
  }
  return best;
}

Result<double> TwoModels::modelled_us(const vulkan::Dispatch& dispatch, const Timing& timing) {
  const std::span<const std::uint32_t> words = vulkan::find_shader(dispatch.shader);
  const std::vector<std::uint32_t> spirv(words.begin(), words.end());
  const radv::Variant variant = variant_of(dispatch);
  const radv::Compiled compiled = device_->compile(variant, spirv);
  const std::vector<audit::Instruction> program = audit::parse_assembly(compiled.assembly);
  if (program.size() != timing.executed.size()) {
    return Error::internal("[gcn] " + variant.name + " as the audit reads it, got " +
                           std::to_string(program.size()) + " instructions, wanted " +
                           std::to_string(timing.executed.size()));
  }
  const audit::Row row = audit::judge(variant, spirv, compiled);
  const double trips = timing.executed[audit::hot_loop(program).first];
  const double simds = options_.chip.cus * Chip::kSimds;
  return trips * row.hot.trip_cycles / simds / options_.chip.mhz;
}

Result<std::vector<TwoTimes>> TwoModels::time(const Graph& graph, const Node& node) {
  NodeSetup setup;
  const auto kernel = setup.select(graph, node);
  if (!kernel) return kernel.error();
  std::vector<TwoTimes> out;
  for (std::size_t d = 0; d < (*kernel)->dispatches.size(); ++d) {
    const vulkan::Dispatch& dispatch = (*kernel)->dispatches[d];
    const auto timed = time_dispatch(*programs_, **kernel, d, setup.operands(), options_);
    if (!timed) return timed.error();
    if (timed->program == nullptr) continue;
    const radv::Variant* variant = find(dispatch);
    if (variant == nullptr) {
      return Error::invalid("[gcn] shader of node '" + node.name + "', got " +
                            std::string(dispatch.shader) + ", wanted one that shaders.json lists");
    }
    const auto modelled = modelled_us(dispatch, timed->timing);
    if (!modelled) return modelled.error();
    out.push_back({variant->name, node.name, timed->timing.us, *modelled, timed->timing.bound});
  }
  return out;
}

}  // namespace polaris::gcn
