#pragma once
#include <string>

#include "ir/control.h"

/// What control ops ask of their operands; what their graphs give is inferred for all alike.
namespace polaris {

/// Errors: invalid where operand `i` is there and is not one element of `dtype`.
inline Status check_one(const InferContext& c, int i, DType dtype) {
  if (!c.has(i)) return Status::success();
  const auto elements = c.in(i).shape.checked_elements();
  const bool fits = c.in(i).is_tensor() && c.in(i).dtype == dtype;
  if (fits && (!elements || *elements == 1)) return Status::success();
  return c.fail(std::string(c.op->inputs[static_cast<std::size_t>(i)].name) + ", got " +
                c.in(i).to_string() + ", wanted one " + std::string(dtype_name(dtype)));
}

}  // namespace polaris
