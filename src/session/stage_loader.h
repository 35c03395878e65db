#pragma once
#include <cstdint>
#include <functional>
#include <memory>
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
    enum class Kind : std::uint8_t { kSlab, kUpload, kStorage };
    Kind kind = Kind::kSlab;
    std::int32_t index = 0;  // slab, or storage
  };
  Stage stage;
  std::vector<std::shared_ptr<const PackedWeight>> weights;
  std::vector<std::vector<Region>> regions;              // per device
  std::vector<std::unique_ptr<Executable>> executables;  // per step; null for transfers
};

/// Told while weights are brought to their devices.
using LoadProgress = std::function<void(std::int64_t done_bytes, std::int64_t all_bytes)>;

/// Bytes that a run of the stage leases on a device.
std::int64_t working_bytes(const Stage& stage, std::size_t device);

/// Host memory that keeping the stage costs, recordings included; an estimate.
std::int64_t host_bytes(const LoadedStage& loaded);

/// Errors: out_of_memory where the stage would not fit a device's budget; says by how much.
Status preflight(Runtime& runtime, const Stage& stage);

/// Brings the stage's weights to their devices and compiles its segments.
Result<std::unique_ptr<LoadedStage>> load_stage(Runtime& runtime, const GraphInfo& info,
                                                Stage stage, const LoadProgress& progress);

}  // namespace polaris
