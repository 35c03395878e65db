#pragma once
#include <vector>

#include "base/result.h"
#include "load/tflite/schema.h"

namespace polaris::tflite {

/// Operators so that each comes after those whose outputs it reads; where the file's order is such
/// a one it stays. Errors: invalid where operators wait for each other, or two make one tensor.
Result<std::vector<const OperatorDef*>> operators_in_order(const SubgraphDef& graph);

}  // namespace polaris::tflite
