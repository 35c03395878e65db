// One maker per plan while others go on, what is kept, and what goes first. No test measures time:
// makers block until the test lets them go on.

#include "session/plan_cache.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

using namespace polaris;

namespace {

using Made = Result<std::unique_ptr<LoadedStage>>;

/// Caches that share a clock, and graphs that only stand for themselves.
struct CacheCase {
  std::atomic<std::uint64_t> clock{0};
  Graph graphs[2];
  PlanCache cache;
  int made = 0;

  explicit CacheCase(const PlanLimits& limits = {}) : cache(limits, [this] { return ++clock; }) {}
  Result<PlanCache::Plan> get(const std::string& key, int graph = 0, std::int64_t bytes = 0) {
    return cache.get(&graphs[graph], key, [&]() -> Made {
      ++made;
      auto plan = std::make_unique<LoadedStage>();
      if (bytes > 0) {
        auto tensor = Tensor::allocate(DType::kU8, {bytes});
        REQUIRE(tensor);
        plan->stage.live_out.push_back({ValueId{0}, tensor->type(), *tensor, {}, kHost, {}});
      }
      return plan;
    });
  }
};

}  // namespace

TEST_CASE("a plan is made once and found again") {
  CacheCase test;
  const auto first = test.get("a");
  const auto again = test.get("a");
  REQUIRE(first);
  REQUIRE(again);
  CHECK(*first == *again);
  CHECK(test.made == 1);
}

TEST_CASE("a failed making is not kept") {
  CacheCase test;
  const auto failed =
      test.cache.get(&test.graphs[0], "a", []() -> Made { return Error::device("[test] no"); });
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message() == "[test] no");
  CHECK(test.cache.size() == 0);
  CHECK(test.get("a"));
  CHECK(test.made == 1);
}

TEST_CASE("one thread makes a plan, those who ask for it wait, others go on") {
  CacheCase test;
  std::binary_semaphore begun{0}, go_on{0};
  std::atomic<int> makers{0};
  const auto make = [&]() -> Made {
    ++makers;
    begun.release();
    go_on.acquire();
    return std::make_unique<LoadedStage>();
  };
  PlanCache::Plan a, b;
  std::thread first([&] { a = test.cache.get(&test.graphs[0], "slow", make).take(); });
  begun.acquire();
  std::thread second([&] { b = test.cache.get(&test.graphs[0], "slow", make).take(); });
  // While "slow" is being made, another plan is made and found again.
  CHECK(test.get("quick"));
  CHECK(test.get("quick"));
  CHECK(test.made == 1);
  CHECK(test.cache.size() == 1);
  go_on.release();
  first.join();
  second.join();
  CHECK(a == b);
  CHECK(makers == 1);
}

TEST_CASE("waiters get the maker's error, but make it themselves where the maker was cancelled") {
  for (const bool cancelled : {false, true}) {
    CAPTURE(cancelled);
    CacheCase test;
    std::binary_semaphore begun{0}, go_on{0};
    std::atomic<int> makers{0};
    const auto make = [&]() -> Made {
      if (++makers > 1) return std::make_unique<LoadedStage>();
      begun.release();
      go_on.acquire();
      if (cancelled) return Error::cancelled("[plan] stopped on request");
      return Error::out_of_memory("[test] full");
    };
    std::optional<Result<PlanCache::Plan>> first, second;
    std::thread maker([&] { first = test.cache.get(&test.graphs[0], "a", make); });
    begun.acquire();
    std::atomic<bool> asked{false};
    std::thread waiter([&] {
      asked = true;
      second = test.cache.get(&test.graphs[0], "a", make);
    });
    while (!asked) std::this_thread::yield();
    go_on.release();
    maker.join();
    waiter.join();
    CHECK_FALSE(first->ok());
    if (cancelled) {
      CHECK(second->ok());
      CHECK(makers == 2);
    } else if (makers == 1) {
      // It did wait; else it came after the failure and made its own.
      CHECK_FALSE(second->ok());
    }
  }
}

TEST_CASE("a maker that runs out of host memory wakes those who wait") {
  CacheCase test;
  std::binary_semaphore begun{0}, go_on{0};
  std::atomic<int> makers{0};
  const auto make = [&]() -> Made {
    if (++makers > 1) return std::make_unique<LoadedStage>();
    begun.release();
    go_on.acquire();
    throw std::bad_alloc();
  };
  bool thrown = false;
  std::thread maker([&] {
    try {
      (void)test.cache.get(&test.graphs[0], "a", make);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
  });
  begun.acquire();
  std::optional<Result<PlanCache::Plan>> second;
  std::thread waiter([&] { second = test.cache.get(&test.graphs[0], "a", make); });
  go_on.release();
  maker.join();
  waiter.join();
  CHECK(thrown);
  if (!second->ok()) CHECK(second->error().code() == ErrorCode::kOutOfMemory);
  CHECK(test.get("a"));
}

TEST_CASE("all who wait for a plan are woken, however many they are and however its making ends") {
  enum class End { kMade, kFailed, kCancelled, kThrown };
  for (const End end : {End::kMade, End::kFailed, End::kCancelled, End::kThrown}) {
    CacheCase test;
    std::binary_semaphore begun{0}, go_on{0};
    std::atomic<int> makers{0};
    const auto make = [&]() -> Made {
      if (++makers > 1) return std::make_unique<LoadedStage>();
      begun.release();
      go_on.acquire();
      if (end == End::kFailed) return Error::device("[test] no");
      if (end == End::kCancelled) return Error::cancelled("[plan] stopped on request");
      if (end == End::kThrown) throw std::bad_alloc();
      return std::make_unique<LoadedStage>();
    };
    std::thread maker([&] {
      try {
        (void)test.cache.get(&test.graphs[0], "a", make);
      } catch (const std::bad_alloc&) {
        CHECK(end == End::kThrown);
      }
    });
    begun.acquire();
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 8; ++i) {
      waiters.emplace_back([&] {
        ++asked;
        (void)test.cache.get(&test.graphs[0], "a", make);
        ++answered;
      });
    }
    while (asked < 8) std::this_thread::yield();
    // Most of them wait by now; those that do not yet find what the maker left.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    go_on.release();
    maker.join();
    for (std::thread& waiter : waiters) waiter.join();
    CHECK(answered == 8);
  }
}

TEST_CASE("plans are kept per graph, the least recently used goes first") {
  CacheCase test({.plans = 2});
  CHECK(test.get("a"));
  CHECK(test.get("b"));
  CHECK(test.get("x", 1));  // of another graph: takes no place from a and b
  CHECK(test.get("a"));
  CHECK(test.get("c"));  // b goes
  CHECK(test.made == 4);
  CHECK(test.get("a"));
  CHECK(test.get("x", 1));
  CHECK(test.made == 4);
  CHECK(test.get("b"));
  CHECK(test.made == 5);
}

TEST_CASE("no plans kept: each is made for one run") {
  CacheCase test({.plans = 0});
  CHECK(test.get("a"));
  CHECK(test.get("a"));
  CHECK(test.made == 2);
  CHECK(test.cache.size() == 0);
}

TEST_CASE("plans are kept up to a number of host bytes, over all graphs, the newest always") {
  CacheCase test({.plans = 64, .host_bytes = 100'000});
  CHECK(test.get("a", 0, 40'000));
  CHECK(test.get("b", 1, 40'000));
  CHECK(test.get("a"));
  CHECK(test.get("c", 0, 40'000));  // b is the oldest
  CHECK(test.made == 3);
  CHECK(test.get("a"));
  CHECK(test.made == 3);
  CHECK(test.get("huge", 1, 1'000'000));
  CHECK(test.cache.size() == 1);
  CHECK(test.get("huge", 1));
  CHECK(test.made == 4);
}

TEST_CASE("idle plans can be dropped, oldest first; what somebody runs stays") {
  CacheCase test;
  const auto a = test.get("a");
  CHECK(test.get("b"));
  CHECK(test.get("c", 1));
  CHECK(test.get("b"));
  const auto c_used = test.cache.oldest_idle();
  REQUIRE(c_used);
  CHECK(test.cache.drop_oldest_idle());
  REQUIRE(test.cache.oldest_idle());
  CHECK(*test.cache.oldest_idle() > *c_used);
  CHECK(test.cache.drop_oldest_idle());
  CHECK_FALSE(test.cache.oldest_idle());
  CHECK_FALSE(test.cache.drop_oldest_idle());
  CHECK(test.cache.size() == 1);
  CHECK(test.get("a"));
  CHECK(test.made == 3);
}
