#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/decoder_contract.h"
#include "session/program.h"

namespace polaris {

/// The cache groups of a program: those of its decoder contract, or one of all its paged states.
/// Errors: invalid (states of a group that disagree on their page size).
Result<std::vector<CacheGroup>> cache_groups(const Program& program);

/// What a cache has to hold at once.
struct CacheNeed {
  std::int64_t sequences = 1;
  std::int64_t tokens = 1;       // of a sequence
  std::int64_t step_tokens = 1;  // of a sequence that are written at once
  std::int64_t source = 1;       // positions that an encoder writes for a sequence
};

/// The most pages that a row of a window has while `step_tokens` are written at once.
std::int64_t window_pages(const CacheGroup& group, std::int64_t step_tokens);

/// Pages of each group that hold so much.
std::vector<std::int64_t> pages_for(std::span<const CacheGroup> groups, const CacheNeed& need);

/// Bytes of one page of every group over all states, per device of the runtime.
std::vector<std::int64_t> page_bytes(const Program& program);
/// Bytes of one page of a paged state.
std::int64_t state_page_bytes(const State& state);

}  // namespace polaris
