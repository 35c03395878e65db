#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace polaris {

/// One of a program's functions, made ready for its devices.
struct Function {
  std::string name;
  Graph graph;
  std::vector<std::size_t> states;  // by state of the graph: index in Program::states()
  bool keeps_states = false;        // some of them are not paged: runs change what they read
  /// By input: the device whose nodes read it first; kHost where none does.
  std::vector<DeviceIndex> input_device;
  std::string pass_report;
};

/// A state of the model and the device that holds it for all functions.
struct ProgramState {
  std::shared_ptr<const State> state;
  DeviceIndex device = 0;
};

}  // namespace polaris
