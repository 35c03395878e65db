#pragma once
#include <cstdint>
#include <vector>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

/// Elements of an integer matrix operand minus its zero point, as wrapping int32: one for all, one
/// per row of a left operand, one per column of a right operand, or an array of its own shape but
/// for that dim.
std::vector<std::uint32_t> centered(const RefTensor& x, const RefTensor* zero_point, bool left);
/// Scale or zero point `parameter` of matrix input `matrix` has one element, or one per row of a
/// left or column of a right operand (one per matrix too where the operand has batch dims).
Status check_zero_point(const InferContext& c, int parameter, int matrix, bool left);
/// Offset in a per-row (left) or per-column (right) parameter for row or column `index`.
inline std::int64_t parameter_at(const RefTensor& parameter, std::int64_t index) {
  return parameter.type.shape.elements() <= 1 ? 0 : index;
}

}  // namespace polaris
