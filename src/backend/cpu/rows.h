#pragma once
#include <algorithm>
#include <cstdint>

#include "base/thread_pool.h"

namespace polaris::cpu {

/// Runs body(from, to, worker) over `rows` rows of `width` elements in ranges of about 16 Ki
/// elements.
template <class Body>
void parallel_rows(ThreadPool& pool, std::int64_t rows, std::int64_t width, Body body) {
  const std::int64_t grain = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(width, 1));
  pool.parallel_for(rows, grain, body);
}

}  // namespace polaris::cpu
