#pragma once
#include <memory>
#include <string>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "ir/graph.h"
#include "sim/operands.h"

namespace polaris::gcn {

/// A graph of text IR, "elided" constants being small numbers. Errors: not_found, the parser's.
Result<Graph> read_graph(const std::string& path);

/// A node's operands as a planner would offer them to the card, the kernel that the Vulkan backend
/// chooses, and memory for it. What constants hold is kept: indices may decide how long it takes.
class NodeSetup {
 public:
  /// The kernel lives as long as this. Errors: the backend's, where it has none for the node.
  Result<const vulkan::VulkanKernel*> select(const Graph& graph, const Node& node);
  Operands& operands() { return operands_; }

 private:
  Status place(const Node& node);
  std::span<std::byte> make(std::int64_t bytes);

  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<const Tensor*> values_;
  std::shared_ptr<const Kernel> kernel_;
  std::vector<std::vector<std::byte>> memory_;
  Operands operands_;
};

}  // namespace polaris::gcn
