#include "backend/node_cost.h"

#include "backend/described_types.h"

namespace polaris {

NodeCost node_cost(const NodeDesc& node) {
  NodeCost out;
  for (const auto operands : {node.inputs, node.outputs}) {
    for (const OperandDesc& operand : operands) {
      if (operand.present) out.bytes += operand.type.bytes().value_or(0);
    }
  }
  const DescribedTypes described(node);
  const NodeTypes& types = described.types();
  if (node.op->flops != nullptr) {
    out.flops = node.op->flops(types);
  } else if (!types.outputs.empty()) {
    out.flops = types.outputs[0].shape.checked_elements().value_or(0);
  }
  if (node.op->bytes != nullptr) out.bytes = node.op->bytes(types);
  return out;
}

}  // namespace polaris
