#pragma once
#include "ir/graph.h"

namespace polaris {

/// The type with a size for every dim, as memory and kernels are judged before any run: a symbol's
/// bound, else 1.
TensorType at_bounds(const Graph& graph, TensorType type);

}  // namespace polaris
