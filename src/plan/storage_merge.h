#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace polaris {

/// The storage that an operand's bytes really are in, after merges.
Storage& root_of(std::vector<Storage>& storages, const Operand& operand);

struct Part {
  Operand operand;
  std::int64_t offset_bytes = 0;
};

/// Places every part's storage inside the whole's, so that copying them is not needed. All or
/// nothing: false (and nothing changed) where a part is not a whole arena storage of its own.
bool merge_parts(std::vector<Storage>& storages, const Operand& whole, std::span<const Part> parts);

/// Extends every root's lifetime over those of the storages inside it.
void spread_lifetimes(std::vector<Storage>& storages);

/// Lets elementwise outputs take the bytes of an input that dies at the same launch.
void merge_in_place(const Graph& graph, Stage& stage);

}  // namespace polaris
