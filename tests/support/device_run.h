#pragma once
#include <span>
#include <vector>

#include "backend/backend.h"
#include "base/result.h"
#include "ir/op_def.h"

namespace polaris::test {

/// Runs one node on a device, every operand in a buffer of its own, and reads its outputs back.
/// Null inputs are absent. Constants with `encoding` other than plain are offered as weights.
Result<std::vector<Tensor>> run_on_device(Device& device, const OpDef& op, const Attrs& attrs,
                                          std::span<const Constant* const> inputs,
                                          int output_count);

}  // namespace polaris::test
