#include "backend/node_move.h"

#include <vector>

#include "backend/described_types.h"

namespace polaris {

std::optional<StridedMove> node_move(const NodeDesc& node) {
  if (!node.inputs[0].type.encoding.is_plain()) return std::nullopt;
  const DescribedTypes described(node);
  NodeTypes types = described.types();
  std::vector<const Tensor*> values(node.inputs.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i < node.values.size()) values[i] = node.values[i];
    if (values[i] == nullptr && node.inputs[i].constant != nullptr) {
      values[i] = &node.inputs[i].constant->data;
    }
  }
  types.values = values;
  return strided_move(types);
}

}  // namespace polaris
