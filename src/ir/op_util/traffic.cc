#include "ir/op_util/traffic.h"

#include <cmath>

namespace polaris {

std::int64_t bytes_of_elements(const TensorType& type, std::int64_t elements) {
  const std::int64_t all = type.shape.checked_elements().value_or(0);
  if (all <= 0) return 0;
  const double each = static_cast<double>(type.bytes().value_or(0)) / static_cast<double>(all);
  return std::llround(each * static_cast<double>(elements));
}

std::int64_t gathered_bytes(const NodeTypes& types) {
  const TensorType& output = types.outputs[0];
  const std::int64_t elements = output.shape.checked_elements().value_or(0);
  return bytes_of_elements(types.inputs[0], elements) + types.inputs[1].bytes().value_or(0) +
         output.bytes().value_or(0);
}

}  // namespace polaris
