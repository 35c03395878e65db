#pragma once
#include <string>
#include <vector>

#include "backend/backend.h"
#include "conformance/samples.h"

namespace polaris::test {

/// How a sample is laid out in device memory.
struct RunOptions {
  std::uint8_t poison = 0xFF;  // every byte that is no operand, and every output before the run
  bool constants = false;      // operands marked `weight` are constants, packed as the kernel asks
  int inplace = -1;            // index into op->inplace: that output lies on that input's bytes
  bool select_only = false;    // find the kernel, run nothing
  Layout layout = Layout::kRowMajor;  // of the kSpatial operands
};

/// What a run found. `refusal`: select() said no; `fault`: something is wrong with the device.
struct RunResult {
  std::string refusal;
  std::string fault;
  std::string kernel;
  std::vector<Tensor> outputs;
};

/// Runs one node as a segment of one launch over an arena with guard zones around every operand and
/// offsets that are odd multiples of the device's alignment.
RunResult run_node(Device& device, const Sample& sample, const RunOptions& options);

}  // namespace polaris::test
