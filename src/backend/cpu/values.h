#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "backend/backend.h"

namespace polaris::cpu {

/// The integers of input i where the planner knows them; an absent input gives none. Nothing where
/// the input is there but not known.
inline std::optional<std::vector<std::int64_t>> known_ints(const NodeDesc& node, std::size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].present) return std::vector<std::int64_t>{};
  const Tensor* value = i < node.values.size() ? node.values[i] : nullptr;
  if (value == nullptr && node.inputs[i].constant != nullptr) {
    value = &node.inputs[i].constant->data;
  }
  if (value == nullptr || !*value) return std::nullopt;
  std::vector<std::int64_t> out(static_cast<std::size_t>(value->elements()));
  for (std::size_t e = 0; e < out.size(); ++e) {
    out[e] = element_as_i64(*value, static_cast<std::int64_t>(e));
  }
  return out;
}

inline bool has_input(const NodeDesc& node, std::size_t i) {
  return i < node.inputs.size() && node.inputs[i].present;
}

}  // namespace polaris::cpu
