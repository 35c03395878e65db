#pragma once
#include <vector>

#include "backend/backend.h"

namespace polaris {

/// A described node as costs and parts see it: its operands' types side by side, kF32 of rank 0 for
/// those that are absent. It points into the description.
class DescribedTypes {
 public:
  explicit DescribedTypes(const NodeDesc& node)
      : inputs_(types_of(node.inputs)),
        outputs_(types_of(node.outputs)),
        types_{node.op, node.attrs, inputs_, outputs_, node.values} {}
  DescribedTypes(const DescribedTypes&) = delete;
  DescribedTypes& operator=(const DescribedTypes&) = delete;
  const NodeTypes& types() const { return types_; }

 private:
  static std::vector<TensorType> types_of(std::span<const OperandDesc> operands) {
    std::vector<TensorType> out;
    out.reserve(operands.size());
    for (const OperandDesc& operand : operands) {
      out.push_back(operand.present ? operand.type : TensorType{});
    }
    return out;
  }

  std::vector<TensorType> inputs_;
  std::vector<TensorType> outputs_;
  NodeTypes types_;
};

}  // namespace polaris
