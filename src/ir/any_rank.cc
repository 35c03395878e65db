#include "ir/any_rank.h"

#include "ir/infer.h"

namespace polaris {
namespace {

ValueKind optional_of(ValueKind kind) {
  const bool sequence = kind == ValueKind::kSequence || kind == ValueKind::kOptionalSequence;
  return sequence ? ValueKind::kOptionalSequence : ValueKind::kOptional;
}

/// What may be there and what is are together what may be there.
std::optional<ValueKind> join_kinds(ValueKind a, ValueKind b) {
  if (a == b) return a;
  const bool optional = a == optional_of(a) || b == optional_of(b);
  if (optional && optional_of(a) == optional_of(b)) return optional_of(a);
  return std::nullopt;
}

}  // namespace

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
  const auto kind = join_kinds(a.kind, b.kind);
  if (!kind) return std::nullopt;
  if (auto merged = merge_types(a.as(*kind), b.as(*kind))) return merged;
  if (a.dtype != b.dtype || a.encoding != b.encoding) return std::nullopt;
  TensorType out = a.as(*kind);
  out.shape = any_rank();
  return out;
}

}  // namespace polaris
