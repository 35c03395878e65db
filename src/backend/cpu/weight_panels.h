#pragma once
#include <cstdint>
#include <string>

#include "backend/cpu/kernel.h"

namespace polaris::cpu {

/// A constant k x n matrix as the right side of gemm(), or several one after the other: panels of
/// its own width where that is float16, of float32 for all else.
struct WeightPanels {
  bool half = false;  // GemmCall::b_is_f16
  std::int64_t k = 0;
  std::int64_t n = 0;
  bool transposed = false;  // the tensor is [n, k]
  std::int64_t matrices = 1;

  WeightPanels(const Constant& weight, std::int64_t k, std::int64_t n, bool transposed,
               std::int64_t matrices = 1);
  /// Of one of them, packed.
  std::int64_t matrix_bytes() const;
  /// Constant `input` of the kernel is packed so.
  void pack_when_loaded(CpuKernel& kernel, int input) const;
};

}  // namespace polaris::cpu
