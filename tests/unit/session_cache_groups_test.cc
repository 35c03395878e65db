// Cache groups of one pool: pages of their own size, window and rank; all or nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "session/kv_pool.h"
#include "support/cache_model.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::size_t kFull = 0, kWindow = 1, kCross = 2;

std::shared_ptr<KvPool> make_pool(const std::vector<std::int64_t>& pages) {
  Model model = cache_model();
  auto program = Program::compile(make_runtime({"cpu"}), model);
  REQUIRE_MESSAGE(program, program.error().message());
  auto pool = KvPool::create(program.take(), pages);
  REQUIRE_MESSAGE(pool, pool.error().message());
  return pool.take();
}

void go_to(KvPool& pool, Sequence& sequence, std::int64_t length) {
  REQUIRE(pool.reserve(sequence, length));
  pool.commit(sequence, length);
}

std::vector<std::int64_t> free_of(const KvPool& pool) {
  return {pool.free_pages(kFull), pool.free_pages(kWindow), pool.free_pages(kCross)};
}

using Counts = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("cache groups: each has pages of its own, and a window lets go of those behind it") {
  auto pool = make_pool({12, 11, 3});
  CHECK(pool->groups().size() == 3);
  CHECK(pool->page_size(kFull) == 4);
  CHECK(pool->page_size(kWindow) == 2);
  CHECK(pool->page_size(kCross) == 8);
  CHECK(pool->tokens_max() == 48);
  CHECK(pool->step_tokens_max() == 16);
  CHECK(pool->source_max() == 24);
  CHECK(make_pool({12, 24, 3})->step_tokens_max() == INT64_MAX);
  CHECK(make_pool({12, 2, 3})->step_tokens_max() == 1);
  Sequence sequence = pool->start();
  REQUIRE(pool->reserve_source(sequence, 9));
  pool->commit_source(sequence, 9);
  CHECK(pool->reserve_source(sequence, 9).error().code() == ErrorCode::kInvalid);
  CHECK(free_of(*pool) == Counts{12, 11, 1});
  for (std::int64_t length = 1; length <= 48; ++length) {
    CAPTURE(length);
    go_to(*pool, sequence, length);
    // The next token reads positions from length - 4 on.
    const std::int64_t first = std::max<std::int64_t>(0, length - 4) / 2 * 2;
    CHECK(sequence.row(kWindow).first == first);
    CHECK(std::ssize(sequence.pages(kWindow)) == (length - first + 1) / 2);
    CHECK(std::ssize(sequence.pages(kFull)) == (length + 3) / 4);
    CHECK(sequence.pages(kCross).size() == 2);
    CHECK(pool->slot(sequence, length - 1, kWindow) ==
          sequence.pages(kWindow).back() * 2 + (length - 1) % 2);
  }
  sequence = Sequence();
  CHECK(free_of(*pool) == Counts{12, 11, 3});
}

TEST_CASE("cache groups: a group that is full leaves all of them as they were") {
  auto pool = make_pool({12, 2, 1});
  Sequence sequence = pool->start();
  CHECK(pool->reserve(sequence, 5).error().code() == ErrorCode::kExhausted);
  CHECK(free_of(*pool) == Counts{12, 2, 1});
  CHECK(pool->reserve_source(sequence, 9).error().code() == ErrorCode::kExhausted);
  CHECK(free_of(*pool) == Counts{12, 2, 1});
  go_to(*pool, sequence, 4);
  CHECK(free_of(*pool) == Counts{11, 0, 1});
  CHECK(pool->reserve(sequence, 5).error().code() == ErrorCode::kExhausted);
  CHECK(free_of(*pool) == Counts{11, 0, 1});
}

TEST_CASE("cache groups: a fork shares what the next token reads, where it is still there") {
  auto pool = make_pool({12, 11, 3});
  Sequence first = pool->start();
  REQUIRE(pool->reserve_source(first, 3));
  pool->commit_source(first, 3);
  go_to(*pool, first, 4);
  CHECK(pool->forkable(first, 3) == 3);
  go_to(*pool, first, 17);
  // The window begins at position 13, in the page from 12 on.
  CHECK(first.row(kWindow).first == 12);
  CHECK(pool->forkable(first, 17) == 17);
  CHECK(pool->forkable(first, 16) == 16);
  CHECK(pool->forkable(first, 15) == 0);
  const Counts before = free_of(*pool);
  Sequence second = pool->fork(first, 16);
  CHECK(free_of(*pool) == before);
  CHECK(second.row(kCross).length == 3);
  CHECK(second.pages(kCross)[0] == first.pages(kCross)[0]);
  CHECK(second.row(kWindow).first == 12);
  CHECK(second.pages(kWindow).size() == 2);
  // Position 16 is written by both: the page of the full group and of the window part.
  go_to(*pool, second, 17);
  CHECK(second.pages(kFull)[4] != first.pages(kFull)[4]);
  CHECK(second.pages(kFull)[3] == first.pages(kFull)[3]);
  first = Sequence();
  go_to(*pool, second, 30);
  second = Sequence();
  CHECK(free_of(*pool) == Counts{12, 11, 3});
}

TEST_CASE("cache groups: counts of pages are one a group") {
  Model model = cache_model();
  auto program = Program::compile(make_runtime({"cpu"}), model);
  REQUIRE(program);
  for (const Counts& counts : {Counts{}, Counts{4}, Counts{4, 4, 4, 4}, Counts{4, 0, 4}}) {
    CHECK(KvPool::create(*program, counts).error().code() == ErrorCode::kInvalid);
  }
  CHECK(KvPool::create(*program, 4));
}

TEST_CASE("cache groups: states of any rank have pages along their first dim") {
  for (const std::string device : {"cpu", "vulkan"}) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    auto program = program_from_text(runtime, R"(graph main {
      symbol P
      state %a : float32[P, 2] paged
      state %b : float32[P, 2, 3, 5] paged
      output %a "a"
      output %b "b"
    })");
    auto pool = KvPool::create(program, 5);
    REQUIRE_MESSAGE(pool, pool.error().message());
    CHECK((*pool)->page_size() == 2);
    CHECK((*pool)->state_type(1).shape == Shape{5, 2, 3, 5});
    Sequence first = (*pool)->start();
    go_to(**pool, first, 3);
    Sequence second = (*pool)->fork(first, 3);
    REQUIRE((*pool)->reserve(second, 4));
    CHECK(second.pages()[1] != first.pages()[1]);
    auto session = Session::create(program, *pool);
    REQUIRE(session);
    const auto all = run_bound(**session, "main", Bindings().output("b"));
    CHECK(all[0].shape() == Shape{5, 2, 3, 5});
  }
}

}  // namespace polaris::test
