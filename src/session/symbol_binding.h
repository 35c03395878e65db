#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// Gives the symbols of one function their sizes, from its inputs or by name, and holds what they
/// promise: one size for all inputs, no size above a bound, bucketed sizes in a bucket (1, 2, 4 ...
/// below the bound, or the bound; whoever binds the inputs pads them).
class SymbolBinding {
 public:
  explicit SymbolBinding(const Graph& graph)
      : graph_(graph), sizes_(graph.symbols().size(), kUnknownDim) {}

  /// Input `index` has this type. Errors: invalid, naming the input, where dtype, rank, a fixed dim
  /// or a symbol's size does not fit.
  Status bind_input(std::size_t index, const TensorType& type);
  /// The same of a value on the host; of a sequence or an optional, all that is in it.
  Status bind_input(std::size_t index, const Tensor& tensor);
  /// Errors: not_found (no such symbol), invalid.
  Status bind(std::string_view symbol, std::int64_t size);
  /// kUnknownDim where nothing has told.
  std::int64_t size(std::int64_t symbol) const { return sizes_[static_cast<std::size_t>(symbol)]; }
  /// `type` with sizes for its symbols; what nothing has told is `fallback`.
  TensorType concrete(const TensorType& type, std::int64_t fallback) const;

 private:
  Status set(std::int64_t symbol, std::int64_t size, std::string_view input);
  Status bind_dims(const Shape& shape, const Value& value);
  static Error misfit(const Value& value, const TensorType& type);
  const Graph& graph_;
  std::vector<std::int64_t> sizes_;  // by symbol
};

}  // namespace polaris
