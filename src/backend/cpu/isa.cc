#include "backend/cpu/isa.h"

#include <algorithm>

#include "backend/cpu/simd/simd.h"
#include "backend/node_cost.h"
#include "base/os/cpu_features.h"

namespace polaris::cpu {
namespace {

constexpr std::string_view kNames[] = {"sse2", "avx2", "avx512", "vnni"};

// What one core of a middling machine does: enough to weigh placements, no measurement.
constexpr double kFlopsPerUs = 2e4;
constexpr double kBytesPerUs = 1e4;
constexpr double kLaunchUs = 2;

}  // namespace

std::string_view isa_name(Isa isa) { return kNames[static_cast<int>(isa)]; }

Result<Isa> choose_isa(std::string_view isa_max) {
  const CpuFeatures features = cpu_features();
  Isa best = Isa::kSse2;
  if (features.has_avx2_tier()) best = Isa::kAvx2;
  if (features.has_avx512_tier()) best = Isa::kAvx512;
  if (features.has_vnni_tier()) best = Isa::kVnni;
  if (isa_max.empty()) return best;
  const auto* found = std::find(std::begin(kNames), std::end(kNames), isa_max);
  if (found == std::end(kNames)) {
    return Error::invalid("[cpu] instruction set, got '" + std::string(isa_max) +
                          "', wanted sse2, avx2, avx512 or vnni");
  }
  const auto wanted = static_cast<Isa>(found - std::begin(kNames));
  if (wanted > best) {
    return Error::unsupported("[cpu] this processor has no " + std::string(isa_max));
  }
  return wanted;
}

std::string processor_name() { return cpu_features().model; }

const Simd* simd_of(Isa isa) {
  switch (isa) {
    case Isa::kSse2: return &kSimdSse2;
    case Isa::kAvx2: return &kSimdAvx2;
    case Isa::kAvx512:
    case Isa::kVnni: return &kSimdAvx512;
  }
  return &kSimdSse2;
}

const QuantSimd* quant_simd_of(Isa isa) {
  switch (isa) {
    case Isa::kSse2: return &kQuantSse2;
    case Isa::kAvx2:
    case Isa::kAvx512: return &kQuantAvx2;
    case Isa::kVnni: return &kQuantVnni;
  }
  return &kQuantSse2;
}

void fill_costs(const NodeDesc& node, int threads, Kernel& kernel) {
  const NodeCost cost = node_cost(node);
  kernel.flops = cost.flops;
  kernel.bytes = cost.bytes;
  const double work = std::max(static_cast<double>(kernel.flops) / kFlopsPerUs,
                               static_cast<double>(kernel.bytes) / kBytesPerUs);
  kernel.estimate_us = kLaunchUs + work / threads;
}

}  // namespace polaris::cpu
