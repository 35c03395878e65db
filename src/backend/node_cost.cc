#include "backend/node_cost.h"

namespace polaris {

NodeCost node_cost(const NodeDesc& node) {
  NodeCost out;
  std::vector<TensorType> inputs;
  std::vector<TensorType> outputs;
  for (const OperandDesc& operand : node.inputs) {
    inputs.push_back(operand.present ? operand.type : TensorType{});
    if (operand.present) out.bytes += operand.type.bytes().value_or(0);
  }
  for (const OperandDesc& operand : node.outputs) {
    outputs.push_back(operand.type);
    if (operand.present) out.bytes += operand.type.bytes().value_or(0);
  }
  const NodeTypes types{node.op, node.attrs, inputs, outputs, node.values};
  if (node.op->flops != nullptr) {
    out.flops = node.op->flops(types);
  } else if (!outputs.empty()) {
    out.flops = outputs[0].shape.checked_elements().value_or(0);
  }
  if (node.op->bytes != nullptr) out.bytes = node.op->bytes(types);
  return out;
}

}  // namespace polaris
