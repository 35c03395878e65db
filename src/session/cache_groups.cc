#include "session/cache_groups.h"

#include <algorithm>
#include <string>

#include "base/checked.h"

namespace polaris {
namespace {

Status check_page_size(const State& state, const CacheGroup& group) {
  const Shape& shape = state.type.shape;
  if (shape.rank() >= 2 && shape[1] == group.page_size && group.page_size > 0) {
    return Status::success();
  }
  return Error::invalid("[kv] state '" + state.name + "', got " + state.type.to_string() +
                        ", wanted [pages, " + std::to_string(group.page_size) + ", ...]");
}

/// One group of all paged states; none where there is no such state.
std::vector<CacheGroup> whole_group(const Program& program) {
  CacheGroup group;
  group.name = "kv";
  for (const ProgramState& held : program.states()) {
    const State& state = *held.state;
    if (!state.paged) continue;
    if (group.states.empty() && state.type.shape.rank() >= 2) group.page_size = state.type.shape[1];
    group.states.push_back(state.name);
  }
  if (group.states.empty()) return {};
  return {std::move(group)};
}

}  // namespace

Result<std::vector<CacheGroup>> cache_groups(const Program& program) {
  std::vector<CacheGroup> groups =
      program.decoder() ? program.decoder()->groups : whole_group(program);
  for (const ProgramState& held : program.states()) {
    if (!held.state->paged) continue;
    const auto group = std::ranges::find_if(groups, [&](const CacheGroup& g) {
      return std::ranges::count(g.states, held.state->name) > 0;
    });
    if (group == groups.end()) {
      return Error::invalid("[kv] state '" + held.state->name +
                            "', got no cache group, wanted one that the decoder contract names");
    }
    if (auto status = check_page_size(*held.state, *group); !status) return status.error();
  }
  return groups;
}

std::int64_t window_pages(const CacheGroup& group, std::int64_t step_tokens) {
  // A row may begin and end in the middle of a page.
  return ceil_div(group.window - 1 + step_tokens, group.page_size) + 1;
}

std::vector<std::int64_t> pages_for(std::span<const CacheGroup> groups, const CacheNeed& need) {
  std::vector<std::int64_t> out;
  for (const CacheGroup& group : groups) {
    std::int64_t pages = ceil_div(group.cross ? need.source : need.tokens, group.page_size);
    if (group.window > 0) pages = std::min(pages, window_pages(group, need.step_tokens));
    out.push_back(std::max<std::int64_t>(pages, 1) * need.sequences);
  }
  return out;
}

std::int64_t state_page_bytes(const State& state) {
  TensorType page = state.type;
  page.shape[0] = 1;
  return page.bytes().value_or(0);
}

std::vector<std::int64_t> page_bytes(const Program& program) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(program.runtime().device_count()), 0);
  for (const ProgramState& held : program.states()) {
    if (!held.state->paged) continue;
    out[static_cast<std::size_t>(held.device)] += state_page_bytes(*held.state);
  }
  return out;
}

}  // namespace polaris
