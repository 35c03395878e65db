#pragma once
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// infer_graph that also hands out what it learned: (*known)[v.index] is the host tensor of value
/// v where constants and shape arithmetic give it (at most 1024 elements unless a constant), else
/// a null Tensor. Subgraphs' values are not handed out.
Status infer_graph(Graph& graph, IdVector<ValueId, Tensor>* known);

/// The type that covers both: equal dims stay, others become unknown. Nothing where element type,
/// rank, encoding or kind of value differ.
std::optional<TensorType> merge_types(const TensorType& a, const TensorType& b);

}  // namespace polaris
