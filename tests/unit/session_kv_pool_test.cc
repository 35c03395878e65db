// The paged cache: pages counted, shared and copied on write; what it refuses.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "base/os/thread.h"
#include "session/kv_pool.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

// Pages of 2 tokens, rows of 3 numbers.
constexpr std::string_view kText = R"(
state keys : float32[?, 2, 3] paged
state values : float32[?, 2, 3] paged
state plain : float32[1]
graph write {
  symbol P
  symbol T
  input %k : float32[T, 3]
  input %v : float32[T, 3]
  input %slots : int32[T]
  state %a : float32[P, 2, 3] named "keys"
  state %b : float32[P, 2, 3] named "values"
  %ka, %vb = polaris.KvWrite(%a, %b, %k, %v, %slots)
  update %a = %ka
  update %b = %vb
}
graph read {
  symbol P
  state %a : float32[P, 2, 3] named "keys"
  state %b : float32[P, 2, 3] named "values"
  %n = Neg(%b)
  output %a "keys"
  output %n "negated"
}
graph count {
  state %p : float32[1] named "plain"
  const %one : float32[1] = 1
  %q = Add(%p, %one)
  update %p = %q
}
)";

struct Cache {
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<Program> program;
  std::shared_ptr<KvPool> pool;
  std::unique_ptr<Session> session;
};

Cache make_cache(const std::vector<std::string>& devices, std::int64_t pages) {
  Cache out;
  out.runtime = make_runtime(devices);
  if (!out.runtime) return out;
  out.program = program_from_text(out.runtime, kText);
  auto pool = KvPool::create(out.program, pages);
  REQUIRE_MESSAGE(pool, pool.error().message());
  out.pool = pool.take();
  auto session = Session::create(out.program, out.pool);
  REQUIRE_MESSAGE(session, session.error().message());
  out.session = session.take();
  return out;
}

/// Writes rows filled with `value`, `-value` at the sequence's positions [length, new_length).
void write(Cache& cache, Sequence& sequence, std::int64_t new_length, float value) {
  REQUIRE(cache.pool->reserve(sequence, new_length));
  const std::int64_t tokens = new_length - sequence.length();
  std::vector<std::int32_t> slots;
  for (std::int64_t p = sequence.length(); p < new_length; ++p) {
    slots.push_back(cache.pool->slot(sequence, p));
  }
  const std::vector<float> keys(static_cast<std::size_t>(tokens) * 3, value);
  const std::vector<float> values(static_cast<std::size_t>(tokens) * 3, -value);
  Bindings b;
  b.input("k", floats({tokens, 3}, keys)).input("v", floats({tokens, 3}, values));
  b.input("slots", ints({tokens}, slots));
  CHECK(run_bound(*cache.session, "write", b).empty());
  cache.pool->commit(sequence, new_length);
}

/// The first number of each token's keys; the values must be their negative.
std::vector<float> read(Cache& cache, const Sequence& sequence) {
  const auto all = run_bound(*cache.session, "read", Bindings().output("keys").output("negated"));
  const auto keys = to_floats(all[0]);
  CHECK(keys == to_floats(all[1]));
  std::vector<float> out;
  for (std::int64_t p = 0; p < sequence.length(); ++p) {
    out.push_back(keys[static_cast<std::size_t>(cache.pool->slot(sequence, p)) * 3]);
  }
  return out;
}

using Numbers = std::vector<float>;

}  // namespace

TEST_CASE("kv pool: sequences write, share a prefix, and part where they differ") {
  for (const auto& names : std::vector<std::vector<std::string>>{
           {"cpu"}, {"reference"}, {"vulkan"}, {"cpu", "vulkan"}}) {
    Cache cache = make_cache(names, 8);
    if (!cache.runtime) continue;
    CAPTURE(names.front());
    CHECK(cache.pool->page_size() == 2);
    CHECK(cache.pool->page_count() == 8);
    std::int64_t bytes = 0;
    for (const std::int64_t device : page_bytes(*cache.program)) bytes += device;
    CHECK(bytes == 2 * 2 * 3 * 4);
    Sequence first = cache.pool->start();
    write(cache, first, 3, 5);
    CHECK(first.pages().size() == 2);
    CHECK(cache.pool->free_pages() == 6);
    Sequence second = cache.pool->fork(first, 3);
    CHECK(cache.pool->free_pages() == 6);
    CHECK(read(cache, second) == Numbers{5, 5, 5});
    // Both go on in the shared last page: the one that writes first gets a copy of it.
    write(cache, second, 5, 7);
    CHECK(cache.pool->free_pages() == 4);
    write(cache, first, 4, 9);
    CHECK(cache.pool->free_pages() == 4);
    CHECK(read(cache, first) == Numbers{5, 5, 5, 9});
    CHECK(read(cache, second) == Numbers{5, 5, 5, 7, 7});
    CHECK(first.pages()[0] == second.pages()[0]);
    CHECK(first.pages()[1] != second.pages()[1]);
    second = Sequence();
    CHECK(cache.pool->free_pages() == 6);
    CHECK(read(cache, first) == Numbers{5, 5, 5, 9});
  }
}

TEST_CASE("kv pool: a full cache says so and changes nothing") {
  Cache cache = make_cache({"cpu"}, 3);
  Sequence first = cache.pool->start();
  write(cache, first, 4, 1);
  Sequence second = cache.pool->start();
  const Status status = cache.pool->reserve(second, 3);
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kExhausted);
  CHECK(second.pages().empty());
  CHECK(cache.pool->free_pages() == 1);
  write(cache, second, 2, 2);
  // Sharing needs a page to copy to.
  Sequence third = cache.pool->fork(first, 3);
  CHECK(cache.pool->reserve(third, 4).error().code() == ErrorCode::kExhausted);
  CHECK(third.pages()[1] == first.pages()[1]);
  second = std::move(first);
  CHECK(cache.pool->free_pages() == 1);
  CHECK(read(cache, second) == Numbers{1, 1, 1, 1});
  Sequence moved(std::move(second));
  CHECK(moved.length() == 4);
  CHECK(cache.pool->reserve(third, 4));
}

TEST_CASE("kv pool: sequence, ticket, session, pool, program and runtime go in every order") {
  int order[] = {0, 1, 2, 3, 4, 5};
  do {
    Cache cache = make_cache({"reference"}, 3);
    Sequence sequence = cache.pool->start();
    REQUIRE(cache.pool->reserve(sequence, 4));
    auto ticket = cache.session->submit("read", Bindings().output("keys"));
    REQUIRE(ticket);
    Ticket held = ticket.take();
    for (const int what : order) {
      if (what == 0) sequence = Sequence();
      if (what == 1) held = Ticket();
      if (what == 2) cache.session.reset();
      if (what == 3) cache.pool.reset();
      if (what == 4) cache.program.reset();
      if (what == 5) cache.runtime.reset();
    }
  } while (std::next_permutation(std::begin(order), std::end(order)));
}

TEST_CASE("kv pool: what cannot be is refused") {
  auto runtime = make_runtime({"cpu"});
  auto program = program_from_text(runtime, kText);
  for (const std::int64_t pages : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31}) {
    CHECK(KvPool::create(program, pages).error().code() == ErrorCode::kInvalid);
  }
  const auto without = Session::create(program);
  REQUIRE_FALSE(without);
  CHECK(without.error().message().find("is paged, got no cache pool") != std::string::npos);
  auto uneven = program_from_text(runtime, R"(graph main {
    symbol P
    state %a : float32[P, 2, 3] paged
    state %b : float32[P, 4, 3] paged
    output %a
    output %b
  })");
  CHECK(KvPool::create(uneven, 1).error().message().find("'b'") != std::string::npos);
  auto none = program_from_text(runtime, "graph { state %s : float32[2] output %s }");
  CHECK(cache_groups(*none)->empty());
  CpuOptions options;
  options.budget_bytes = 1 << 16;
  options.allocation_bytes_max = 1 << 10;
  auto small = make_cpu_device(options);
  REQUIRE(small);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(small.take());
  auto tight = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  auto refused = KvPool::create(program_from_text(tight, kText), 100);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kOutOfMemory);
  CHECK(refused.error().message().find("(42 pages)") != std::string::npos);
  CHECK(KvPool::create(program_from_text(tight, kText), 42));
}

TEST_CASE("kv pool: paged states are no bindings; runs over them alone go at once") {
  Cache cache = make_cache({"cpu"}, 4);
  const Error error = run_fails(*cache.session, "read", Bindings().output_state("keys", "values"));
  CHECK(error.code() == ErrorCode::kUnsupported);
  CHECK(cache.session->read_state("keys").error().code() == ErrorCode::kUnsupported);
  CHECK(cache.program->find("write")->keeps_states == false);
  CHECK(cache.program->find("count")->keeps_states);
  run_bound(*cache.session, "count", {});
  CHECK(to_floats(*cache.session->read_state("plain")) == Numbers{1});
  // Reset leaves the pool's states alone.
  Sequence sequence = cache.pool->start();
  write(cache, sequence, 2, 3);
  REQUIRE(cache.session->reset());
  CHECK(read(cache, sequence) == Numbers{3, 3});
  CHECK(to_floats(*cache.session->read_state("plain")) == Numbers{0});
}

TEST_CASE("kv pool: several threads take, fork and give back pages of one pool") {
  Cache cache = make_cache({"cpu"}, 24);  // too few for one thread alone
  Sequence root = cache.pool->start();
  write(cache, root, 7, 5);  // its last page is half full: whoever goes on copies it
  std::atomic<std::int64_t> refused{0};
  std::atomic<std::int64_t> taken{0};
  const auto work = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Sequence> own;
    for (int round = 0; round < 3000; ++round) {
      if (own.size() < 6 && random() % 2 == 0) {
        const Sequence& from = own.empty() || random() % 3 == 0 ? root : own[random() % own.size()];
        const auto length =
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(from.length() + 1));
        own.push_back(cache.pool->fork(from, cache.pool->forkable(from, length)));
      } else if (!own.empty() && random() % 3 == 0) {
        own.erase(own.begin() + static_cast<std::ptrdiff_t>(random() % own.size()));
      } else if (!own.empty()) {
        Sequence& sequence = own[random() % own.size()];
        const auto more = static_cast<std::int64_t>(random() % 9);
        const std::int64_t length = sequence.length() + more;
        const Status status = cache.pool->reserve(sequence, length);
        ++(status ? taken : refused);
        if (status && random() % 4 != 0) cache.pool->commit(sequence, length);
      }
    }
  };
  {
    std::vector<Thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      auto thread = Thread::start([&work, t] { work(t); });
      REQUIRE(thread);
      threads.push_back(thread.take());
    }
  }
  MESSAGE(taken.load() << " reserved, " << refused.load() << " refused");
  CHECK(taken > 1000);
  CHECK(refused > 100);
  CHECK(cache.pool->free_pages() == cache.pool->page_count() - 4);
  CHECK(read(cache, root) == Numbers(7, 5));
  root = Sequence();
  CHECK(cache.pool->free_pages() == cache.pool->page_count());
}

}  // namespace polaris::test
