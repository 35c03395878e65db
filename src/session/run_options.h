#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "session/trace.h"

namespace polaris {

class RunOrder;

/// Time of one node's launch.
struct NodeTime {
  std::string node;
  std::string op;  // "Transpose (relayout)": for the node, not of it
  std::string kernel;
  std::string device;
  std::int64_t flops = 0;
  std::int64_t bytes = 0;
  double us = 0;
  // What the kernel was chosen from, and its own id there; null where there was no choice.
  std::shared_ptr<const KernelChoice> choice = nullptr;
  std::string chosen = {};
};

struct RunOptions {
  const CancelToken* cancel = nullptr;
  /// Bytes that the iterations of one Loop may pile up as its scan outputs, and that one sequence
  /// may hold; 0: half of what the device that holds them may use.
  std::int64_t loop_bytes_max = 0;
  Trace* trace = nullptr;
  std::vector<NodeTime>* profile = nullptr;  // appended to; launches are then serialized
  /// Runs that this one follows on each device, and its number among them.
  RunOrder* order = nullptr;
  std::size_t place = 0;
};

}  // namespace polaris
