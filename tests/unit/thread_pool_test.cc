#include "base/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/os/thread.h"

namespace polaris {
namespace {

TEST_CASE("every index is visited once, whatever the count, grain and thread number") {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (std::int64_t count : {0, 1, 2, 7, 64, 1000}) {
      for (std::int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        std::atomic<int> bad{0};
        pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, int worker) {
          if (begin % grain != 0 || end - begin > grain || worker < 0 || worker >= threads) ++bad;
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        CHECK(bad == 0);
        for (auto& v : visits) REQUIRE(v == 1);
      }
    }
  }
}

TEST_CASE("ranges that run at once have different worker indices") {
  ThreadPool pool(4);
  std::atomic<int> busy[4] = {};
  std::atomic<int> clashes{0};
  for (int round = 0; round < 200; ++round) {
    pool.parallel_for(16, 1, [&](std::int64_t, std::int64_t, int worker) {
      if (busy[worker].fetch_add(1) != 0) ++clashes;
      busy[worker].fetch_sub(1);
    });
  }
  CHECK(clashes == 0);
}

TEST_CASE("nested loops run inline and under the outer index") {
  ThreadPool pool(3);
  std::atomic<std::int64_t> sum{0};
  std::atomic<int> moved{0};
  pool.parallel_for(20, 1, [&](std::int64_t i, std::int64_t, int outer) {
    pool.parallel_for(10, 2, [&](std::int64_t begin, std::int64_t end, int inner) {
      if (inner != outer) ++moved;
      for (std::int64_t j = begin; j < end; ++j) sum += i * 10 + j;
    });
  });
  CHECK(sum == 199 * 200 / 2);
  CHECK(moved == 0);
}

TEST_CASE("several threads may share one pool") {
  ThreadPool pool(2);
  std::atomic<std::int64_t> sum{0};
  std::vector<Thread> callers;
  for (int c = 0; c < 3; ++c) {
    auto caller = Thread::start([&] {
      for (int round = 0; round < 300; ++round) {
        pool.parallel_for(8, 1, [&](std::int64_t b, std::int64_t, int) { sum += b; });
      }
    });
    REQUIRE(caller);
    callers.push_back(caller.take());
  }
  for (auto& caller : callers) caller.join();
  CHECK(sum == 3 * 300 * 28);
}

TEST_CASE("a long loop is left for others between two of its ranges, and goes on after them") {
  ThreadPool pool(3, 0);
  std::atomic<bool> other_ran{false};
  std::atomic<int> visits{0};
  std::atomic<int> after{0};
  Thread other;
  pool.parallel_for(400, 1, [&](std::int64_t, std::int64_t, int worker) {
    ++visits;
    if (other_ran) {
      ++after;
    } else if (worker == 0 && other.id() == Thread::Id()) {
      auto thread = Thread::start([&] {
        pool.parallel_for(2, 1, [&](std::int64_t, std::int64_t, int) { other_ran = true; });
      });
      REQUIRE(thread);
      other = thread.take();
      while (pool.turnstile().waiting() == 0) std::this_thread::yield();
    } else {
      // Leaves the caller time to see that somebody waits.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  other.join();
  CHECK(visits == 400);
  CHECK(after > 0);
  CHECK(pool.turnstile().given() >= 1);
}

TEST_CASE("a turn goes to those who wait in order of arrival, and comes back") {
  Turnstile turnstile(0);
  std::string order;
  turnstile.take();
  std::vector<Thread> others;
  for (const char name : {'b', 'c'}) {
    auto thread = Thread::start([&turnstile, &order, name] {
      const Turn turn(turnstile);
      order.push_back(name);
    });
    REQUIRE(thread);
    others.push_back(thread.take());
    while (turnstile.waiting() < static_cast<int>(others.size())) std::this_thread::yield();
  }
  CHECK(turnstile.held_by_me());
  turnstile.offer();
  order.push_back('a');
  turnstile.offer();
  CHECK(order == "bca");
  turnstile.give();
  others.clear();
  CHECK(turnstile.given() == 1);
}

TEST_CASE("a holder keeps its turn for its slice") {
  Turnstile turnstile(INT64_C(3'600'000'000'000));
  turnstile.take();
  auto other = Thread::start([&] { const Turn turn(turnstile); });
  REQUIRE(other);
  while (turnstile.waiting() == 0) std::this_thread::yield();
  turnstile.offer();
  CHECK(turnstile.given() == 0);
  // What comes next would be over the slice.
  turnstile.offer(INT64_C(3'600'000'000'000));
  CHECK(turnstile.given() == 1);
  turnstile.give();
}

TEST_CASE("workers that sleep wake again") {
  ThreadPool pool(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> ran{0};
    pool.parallel_for(3, 1, [&](std::int64_t, std::int64_t, int) {
      ++ran;
      // Holding every range until all have begun needs all three threads.
      const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (ran < 3 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    });
    CHECK(ran == 3);
  }
}

}  // namespace
}  // namespace polaris
