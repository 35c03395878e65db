#pragma once
#include <cstdint>
#include <vector>

#include "ir/op_def.h"

/// What RotaryEmbedding and the ops that turn heads on their way share.
namespace polaris {

/// How heads are turned: pairs of their first 2 * half elements, by row `row` of the tables
/// [rows, half] of cosines and sines.
struct Rotation {
  const RefTensor& cosines;
  const RefTensor& sines;
  std::int64_t half;
  bool interleaved;

  std::int64_t rows() const;
  /// Errors: invalid where a row is none of the tables'.
  Status check(const RefContext& c, std::int64_t row) const;
  /// Elements [head, head + size) of x, turned, into the same places of `out`.
  void turn(const std::vector<double>& x, std::int64_t head, std::int64_t size, std::int64_t row,
            RefTensor& out) const;
};

/// The rotated size of a head is even and no larger than the head; `rotated` 0: all of it. Gives
/// half of it, as far as it is known.
Result<std::int64_t> check_rotated(const InferContext& c, std::int64_t rotated, std::int64_t size);

}  // namespace polaris
