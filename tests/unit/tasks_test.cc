#include "base/tasks.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>
#include <vector>

namespace polaris {
namespace {

TEST_CASE("each task runs once, on however many threads") {
  for (const int threads : {-1, 0, 1, 2, 7, 64}) {
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{300}}) {
      std::vector<std::atomic<int>> runs(count);
      const Status status = run_tasks(count, threads, [&](std::size_t i) {
        ++runs[i];
        return Status::success();
      });
      CHECK(status);
      for (const auto& r : runs) CHECK(r == 1);
    }
  }
}

TEST_CASE("after an error no task begins, and the error is returned") {
  for (const int threads : {1, 4}) {
    std::atomic<int> begun = 0;
    const Status status = run_tasks(100000, threads, [&](std::size_t i) {
      ++begun;
      return i == 10 ? Status(Error::unsupported("the tenth")) : Status::success();
    });
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == "the tenth");
    CHECK(begun < 100000);
    if (threads == 1) CHECK(begun == 11);
  }
}

TEST_CASE("a task without memory is an error, not the end of the process") {
  for (const int threads : {1, 3}) {
    const Status status =
        run_tasks(8, threads, [](std::size_t) -> Status { throw std::bad_alloc(); });
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::kOutOfMemory);
  }
}

}  // namespace
}  // namespace polaris
