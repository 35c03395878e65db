#pragma once
#include <algorithm>

#include "ir/graph.h"

namespace polaris {

/// The shape of a value whose rank only the run tells: an output of an If whose branches differ in
/// rank. It has as many dims as a shape can have, and none is known; a tensor that really is so is
/// known a little less well.
inline Shape any_rank() { return Shape::filled(kMaxRank, kUnknownDim); }
inline bool has_any_rank(const Shape& shape) {
  return shape.rank() == kMaxRank &&
         std::all_of(shape.begin(), shape.end(), [](std::int64_t d) { return d == kUnknownDim; });
}
/// Whether some input or result of a live node has any rank.
bool has_any_rank(const Graph& graph);

/// A shape of that many dims, none of them known; of any rank where their number is no size.
inline Shape unknown_shape(std::int64_t rank) {
  return is_static_dim(rank) ? Shape::filled(static_cast<int>(rank), kUnknownDim) : any_rank();
}

/// The type that covers both, of any rank where theirs differ, an optional where one of them is.
/// Nothing where element type, encoding or what else they are differ.
std::optional<TensorType> join_types(const TensorType& a, const TensorType& b);

}  // namespace polaris
