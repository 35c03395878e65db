#pragma once
#include <cstdint>
#include <vector>

#include "ir/op_util/elements.h"

namespace polaris {

/// Whether the node has that output, and somebody reads it.
inline bool is_wanted(const RefContext& c, std::size_t output) {
  return output < c.outputs.size() && c.outputs[output].data != nullptr;
}

/// Writes doubles to an output from an element on, where it is wanted.
inline void put_all(RefContext& c, std::size_t output, std::int64_t from,
                    const std::vector<double>& values) {
  if (!is_wanted(c, output)) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    put_f64(c.outputs[output], from + static_cast<std::int64_t>(i), values[i]);
  }
}

}  // namespace polaris
