#pragma once
#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "plan/host_values.h"
#include "plan/placement.h"

namespace polaris {

/// What is computed once per graph.
struct GraphInfo {
  const Graph* graph = nullptr;
  Placement placement;
  ValueFlags host_needed;
  HostArithmetic arithmetic;
  LastReaders last_reader;
  std::vector<bool> on_host;     // by position in the order: the executor runs the node itself
  bool writes_in_place = false;  // some node writes a state's bytes
  bool function = false;         // one of the program's functions, no graph within one
};

}  // namespace polaris
