#pragma once
#include <cstdint>

namespace polaris {

/// Leases of working memory are whole multiples of this: plans of neighbouring buckets differ by
/// little, and so share buffers.
inline constexpr std::int64_t kLeaseGranuleBytes = 64 * 1024;

}  // namespace polaris
