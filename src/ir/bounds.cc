#include "ir/bounds.h"

namespace polaris {

TensorType at_bounds(const Graph& graph, TensorType type) {
  for (int i = 0; i < type.shape.rank(); ++i) {
    std::int64_t& dim = type.shape[i];
    if (is_static_dim(dim)) continue;
    const auto symbol = dim == kUnknownDim ? -1 : symbol_of(dim);
    const bool bounded =
        symbol >= 0 && symbol < static_cast<std::int64_t>(graph.symbols().size()) &&
        graph.symbols()[static_cast<std::size_t>(symbol)].kind != Symbol::Kind::kFree;
    dim = bounded ? graph.symbols()[static_cast<std::size_t>(symbol)].bound : 1;
  }
  return type;
}

}  // namespace polaris
