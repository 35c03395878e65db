#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "plan/plan.h"
#include "session/graph_info.h"
#include "session/runtime.h"

namespace polaris {

/// A stage with its weights in place and its segments compiled.
struct LoadedStage {
  /// Where a run region's bytes come from.
  struct Region {
    enum class Kind : std::uint8_t { kSlab, kUpload, kStorage, kReports };
    Kind kind = Kind::kSlab;
    std::int32_t index = 0;  // slab, or storage
  };
  /// A launch that reports, and where in its device's region of reports.
  struct Report {
    NodeId node;
    const Kernel* kernel = nullptr;
    std::int64_t offset = 0;
  };
  Stage stage;
  std::vector<std::shared_ptr<const PackedWeight>> weights;
  std::vector<std::vector<Region>> regions;              // per device
  std::vector<std::vector<Report>> reports;              // per device, in order of the launches
  std::vector<std::unique_ptr<Executable>> executables;  // per step; null for transfers

  std::int64_t report_bytes(std::size_t device) const {
    const auto& list = reports[device];
    return list.empty() ? 0 : list.back().offset + static_cast<std::int64_t>(sizeof(std::uint32_t));
  }
};

/// Told while weights are brought to their devices.
using LoadProgress = std::function<void(std::int64_t done_bytes, std::int64_t all_bytes)>;

/// Bytes that a run of the stage leases on a device.
std::int64_t working_bytes(const Stage& stage, std::size_t device);

/// Host memory that keeping the stage costs, recordings included; an estimate.
std::int64_t host_bytes(const LoadedStage& loaded);

/// Makes room for the stage on its devices: idle plans and weights go as far as they must.
/// Errors: out_of_memory where it would not fit beside what is in use; says by how much.
Status preflight(Runtime& runtime, const Stage& stage);

/// Brings the stage's weights to their devices and compiles its segments. The graph's own weights
/// are held by `claims`, one a device, beyond the stage.
Result<std::unique_ptr<LoadedStage>> load_stage(Runtime& runtime, const GraphInfo& info,
                                                Stage stage, std::span<const WeightClaim> claims,
                                                const LoadProgress& progress);

}  // namespace polaris
