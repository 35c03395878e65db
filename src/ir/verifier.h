#pragma once
#include "ir/graph.h"

namespace polaris {

/// Whether the node has the inputs and outputs that its op's ports ask for. What infer relies on.
Status check_ports(const Node& node);

}  // namespace polaris
