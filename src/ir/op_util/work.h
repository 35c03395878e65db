#pragma once
#include <cstdint>
#include <initializer_list>

#include "base/checked.h"

namespace polaris {

/// A product of counts for OpDef::flops, at most 2^60.
inline std::int64_t work_of(std::initializer_list<std::int64_t> factors) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  std::int64_t out = 1;
  for (std::int64_t factor : factors) {
    if (factor == 0) return 0;
    const auto product = checked_mul(out, factor);
    out = product && *product < kMost ? *product : kMost;
  }
  return out;
}

}  // namespace polaris
