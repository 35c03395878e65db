#include "backend/elementwise.h"

#include "ir/op_attrs/elementwise.h"

namespace polaris {

const ElementwiseRow* find_elementwise(std::string_view op) {
  for (const ElementwiseRow& row : kElementwiseRows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

Opcode opcode_of(const ElementwiseRow& row, const NodeDesc& node) {
  const bool tanh = row.op == "Gelu" && node.attributes<GeluAttrs>().approximate == "tanh";
  if (tanh) return kOpGeluTanh;
  if (row.op == "Mod" && node.attributes<ModAttrs>().fmod) return kOpFmod;
  const bool right = row.op == "BitShift" && node.attributes<BitShiftAttrs>().direction == "RIGHT";
  return right ? kOpShiftRight : row.opcode;
}

float number_of(const NodeDesc& node, std::size_t i) {
  return i < node.op->numbers.size() ? node.op->numbers[i](*node.attrs) : 0.0f;
}

}  // namespace polaris
