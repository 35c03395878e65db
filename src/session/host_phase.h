#pragma once
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "session/graph_info.h"
#include "session/runtime.h"
#include "session/value_ref.h"

namespace polaris {

/// Host values longer than this are no shapes, axes or indices: they are not read back.
inline constexpr std::int64_t kHostValueBytesMax = 1 << 16;

/// A value alive between stages.
struct LiveValue {
  ValueId id;
  ValueRef ref;
};

/// Before the stage that begins at `begin`: evaluates the arithmetic on host values whose inputs
/// are there (loop counters, indices, lengths) and adds the results to `live`, which planning then
/// takes as given. `states` are the types of the graph's states.
Status run_host_phase(Runtime& runtime, const GraphInfo& info, std::size_t begin,
                      std::span<const TensorType> states, std::vector<LiveValue>& live);

}  // namespace polaris
