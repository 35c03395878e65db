#pragma once
#include "ir/graph.h"

namespace polaris {

/// The value hangs on data that only a run has (inputs, states, what is computed from
/// them). The others follow from constants and from the types of such values (Shape, Size).
ValueFlags data_values(const Graph& graph);

}  // namespace polaris
