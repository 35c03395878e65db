#pragma once
#include <span>
#include <vector>

#include "session/memory_use.h"
#include "session/plan_ahead.h"
#include "session/program.h"

namespace polaris {

/// What a run with these static input types would need, per device, without loading anything.
/// Paged states hold `cached_tokens`. Errors: as Program::compile and planning.
Result<std::vector<MemoryUse>> estimate_memory(Runtime& runtime, const Graph& graph,
                                               std::span<const TensorType> inputs,
                                               std::int64_t cached_tokens,
                                               const ProgramOptions& options = {});

/// What runs of such a plan would need, by device.
std::vector<MemoryUse> memory_of(Runtime& runtime, const PlannedAhead& planned);

}  // namespace polaris
