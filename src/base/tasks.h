#pragma once
#include <cstddef>

#include "base/function_ref.h"
#include "base/result.h"

namespace polaris {

/// Runs task(0) to task(count - 1) on up to `threads` threads, the caller's among them; fewer where
/// the system refuses one. Unlike a ThreadPool's ranges, tasks may be few, long and fail: after the
/// first error none begins, and that error is returned. Memory that runs out in a task is such an
/// error.
Status run_tasks(std::size_t count, int threads, FunctionRef<Status(std::size_t)> task);

}  // namespace polaris
