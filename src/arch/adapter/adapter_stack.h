#pragma once
#include <cstdint>
#include <string>

#include "arch/adapter/adapter.h"
#include "base/result.h"

namespace polaris {

/// A matrix of the base that adapters change.
struct AdaptedMatrix {
  std::string name;  // "blk.0.attn_q.weight"
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  /// Heads whose neighbours the base turns together: rows of an adapter that has them halves apart
  /// are brought into that order. 0: rows stay where they are.
  std::int64_t turned_heads = 0;
};

/// What all adapters of a set have for one matrix, [adapters + 1, ...]: matrix 0 is zeros, as are
/// those of adapters that have none for it. Ranks are padded to the largest. B has the scale in it.
struct AdapterStack {
  Tensor a;  // float32[adapters + 1, rank, inputs]
  Tensor b;  // float32[adapters + 1, outputs, rank]
};

/// Whether an adapter of the set has a pair for the matrix.
bool adapts(const AdapterSet& set, const std::string& matrix);

/// Errors: invalid, naming the file and the tensor whose shape does not fit; out_of_memory.
Result<AdapterStack> stack_adapters(const AdapterSet& set, const AdaptedMatrix& matrix);

}  // namespace polaris
