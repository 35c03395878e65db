#pragma once
#include <cstdint>

#include "backend/backend.h"

namespace polaris {

/// What a node does at least, whatever kernel runs it, by its types.
struct NodeCost {
  std::int64_t flops = 0;  // floating-point operations: the op's rule, else one an output element
  std::int64_t bytes = 0;  // read and written: the op's rule, else every operand once
};
NodeCost node_cost(const NodeDesc& node);

}  // namespace polaris
