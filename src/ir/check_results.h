#pragma once
#include <algorithm>
#include <string>

#include "ir/op_def.h"

namespace polaris {

/// After `infer`: only an op that is defined on whole values makes strings of none, sequences and
/// optionals, whatever an attribute asks for. Errors: invalid.
inline Status check_results(const InferContext& c) {
  if (c.op->host != nullptr || c.op->is_control()) return Status::success();
  const bool text = std::any_of(c.inputs.begin(), c.inputs.end(), [](const TensorType* type) {
    return type != nullptr && type->dtype == DType::kString;
  });
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    const TensorType& type = c.outputs[i];
    if (!is_host_only(type) || (text && type.is_tensor())) continue;
    return c.fail("output " + std::to_string(i) + ", got " + type.to_string() +
                  ", wanted a tensor of numbers");
  }
  return Status::success();
}

}  // namespace polaris
