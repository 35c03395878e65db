#include "base/tasks.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <vector>

#include "base/os/thread.h"

namespace polaris {
namespace {

Status run_one(FunctionRef<Status(std::size_t)> task, std::size_t i) {
  try {
    return task(i);
  } catch (const std::bad_alloc&) {
    return Error::out_of_memory("host memory");
  }
}

}  // namespace

Status run_tasks(std::size_t count, int threads, FunctionRef<Status(std::size_t)> task) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status first;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      const Status status = run_one(task, i);
      if (status) continue;
      next = count;
      const std::lock_guard lock(mutex);
      if (first) first = status;
    }
  };
  std::vector<Thread> helpers;
  const auto most = std::min(count, static_cast<std::size_t>(std::max(threads, 1)));
  for (std::size_t i = 1; i < most; ++i) {
    auto helper = Thread::start(work);
    if (!helper) break;
    helpers.push_back(helper.take());
  }
  work();
  helpers.clear();  // joins them
  return first;
}

}  // namespace polaris
