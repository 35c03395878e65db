#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "backend/cpu/simd/simd.h"
#include "base/thread_pool.h"
#include "ir/strided_move.h"

namespace polaris::cpu {

/// Planes of 4-byte elements whose two axes change places: out[p][i][j] = in[p][j][i].
class TransposeCopy {
 public:
  /// Nothing where the move is none, or its planes are too thin to pay.
  static std::optional<TransposeCopy> of(const Simd& simd, const StridedMove& move);
  void run(ThreadPool& pool, const std::byte* from, std::byte* to) const;

 private:
  const Simd* simd_ = nullptr;
  std::int64_t start_ = 0;
  std::int64_t planes_ = 1;
  std::int64_t plane_stride_ = 0;  // of the input
  std::int64_t rows_ = 0;          // of the output
  std::int64_t columns_ = 0;
  std::int64_t column_stride_ = 0;  // of the input
};

}  // namespace polaris::cpu
