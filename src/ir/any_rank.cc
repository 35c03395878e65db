#include "ir/any_rank.h"

#include "ir/infer.h"

namespace polaris {

bool has_any_rank(const Graph& graph) {
  const auto open = [&](ValueId id) {
    return id.valid() && has_any_rank(graph.value(id).type.shape);
  };
  return std::any_of(graph.inputs().begin(), graph.inputs().end(), open) ||
         std::any_of(graph.order().begin(), graph.order().end(), [&](NodeId id) {
           const auto& outputs = graph.node(id).outputs;
           return std::any_of(outputs.begin(), outputs.end(), open);
         });
}

std::optional<TensorType> join_types(const TensorType& a, const TensorType& b) {
  if (auto merged = merge_types(a, b)) return merged;
  if (a.dtype != b.dtype || a.encoding != b.encoding) return std::nullopt;
  TensorType out = a;
  out.shape = any_rank();
  return out;
}

}  // namespace polaris
