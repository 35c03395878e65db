#pragma once
#include <cstdint>

namespace polaris::cpu {

/// The loops behind the limit.* ops in one instruction set (backend/limit_ops.h). Ranges are of
/// elements, whole kLimitUnits.
struct LimitLoops {
  void (*fill)(float* y, std::int64_t count);
  void (*copy)(const float* x, float* y, std::int64_t count);
  /// y[count / kLimitReadPart]
  void (*read)(const float* x, float* y, std::int64_t count);
  void (*fma)(float* y, std::int64_t count, std::int64_t rounds);
};

extern const LimitLoops kLimitSse2;
extern const LimitLoops kLimitAvx2;
extern const LimitLoops kLimitAvx512;

}  // namespace polaris::cpu
