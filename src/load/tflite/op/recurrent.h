#pragma once
#include <functional>
#include <vector>

#include "load/tflite/importer.h"

namespace polaris::tflite {

/// Cells of a layer, and values that a filter keeps, at most.
inline constexpr std::int64_t kCellsMost = 1 << 20;

/// What one step makes: the carried values, then what it gives.
struct StepResult {
  std::vector<ValueId> carried;
  ValueId output;
};
/// One step: input at this time, carried values, what is the same at every step.
using Step = std::function<StepResult(Builder&, ValueId, const std::vector<ValueId>&,
                                      const std::vector<ValueId>&)>;

/// `step` over the first axis of `x`, the last index first where `backward`; few steps one after
/// another, many as a Scan. Gives outputs by time, and the carried values.
struct StepsResult {
  std::vector<ValueId> carried;
  ValueId outputs;
};
StepsResult run_steps(OperatorImport& o, ValueId x, std::vector<ValueId> carried,
                      const std::vector<ValueId>& same, const Step& step, bool backward = false);

}  // namespace polaris::tflite
