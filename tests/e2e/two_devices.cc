// One model over two devices, with two micro-batches in flight.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "load/load.h"
#include "support/session_run.h"
#include "test_paths.h"

using namespace polaris;
using namespace polaris::test;

namespace {

struct Loaded {
  std::shared_ptr<Program> program;
  std::shared_ptr<KvPool> pool;
  std::unique_ptr<Session> session;
};

Loaded load_stories(const std::shared_ptr<Runtime>& runtime) {
  const std::string path = std::string(kSourceDir) + "/models/stories/stories-f32.gguf";
  auto model = load_model(path, runtime->ops());
  REQUIRE_MESSAGE(model, model.error().message());
  auto graph = take_function(*model, "");
  REQUIRE(graph);
  auto program = Program::compile(runtime, graph.take());
  REQUIRE_MESSAGE(program, program.error().message());
  Loaded out;
  out.program = program.take();
  auto pool = KvPool::create(out.program, 64);
  REQUIRE_MESSAGE(pool, pool.error().message());
  out.pool = pool.take();
  auto session = Session::create(out.program, out.pool);
  REQUIRE(session);
  out.session = session.take();
  return out;
}

/// The decoder's inputs for 64 tokens in pages [first, first + 4) of 16 tokens.
std::vector<Tensor> micro_batch(std::int32_t first) {
  constexpr std::int32_t kTokens = 64;
  std::vector<std::int32_t> tokens, positions, slots, sequences(kTokens, 0), table, rows;
  for (std::int32_t t = 0; t < kTokens; ++t) {
    tokens.push_back(3 + (t * 37 + first * 11) % 1000);
    positions.push_back(t);
    slots.push_back(first * 16 + t);
  }
  for (std::int32_t p = 0; p < 4; ++p) table.push_back(first + p);
  for (std::int32_t r = 0; r < 4; ++r) rows.push_back(15 + 16 * r);
  const auto make = [](const std::vector<std::int32_t>& values, const Shape& shape) {
    auto tensor = Tensor::from<std::int32_t>(DType::kI32, shape, values);
    REQUIRE(tensor);
    return tensor.take();
  };
  return {make(tokens, {kTokens}),    make(positions, {kTokens}), make(slots, {kTokens}),
          make(sequences, {kTokens}), make(table, {1, 4}),        make(rows, {4})};
}

/// Two devices at work at the same time for two micro-batches.
bool overlaps(const TraceEvent& a, const TraceEvent& b) {
  return a.ticket != b.ticket && a.device_index != b.device_index && a.begin_us < b.end_us &&
         b.begin_us < a.end_us;
}

}  // namespace

TEST_CASE(
    "one model over two devices, two micro-batches in flight: equal output, overlapping work") {
  auto alone = make_runtime({"cpu"});
  const Loaded single = load_stories(alone);
  std::vector<Tensor> want[2];
  for (std::int32_t b = 0; b < 2; ++b) {
    REQUIRE(single.session->run(micro_batch(b * 16), want[b]));
  }
  const std::vector<std::vector<std::string>> pairs = {{"cpu", "vulkan"}, {"vulkan", "vulkan"}};
  for (const auto& names : pairs) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    const Loaded loaded = load_stories(runtime);
    // Both devices hold a part of the weights.
    std::vector<Tensor> one_at_a_time;
    REQUIRE(loaded.session->run(micro_batch(0), one_at_a_time));
    for (const MemoryUse& use : loaded.program->memory()) {
      if (use.device != "cpu" || names.front() == "cpu") CHECK(use.weight_bytes > 0);
    }
    TicketOptions options;
    options.trace = std::make_shared<Trace>();
    bool overlap = false;
    for (int round = 0; round < 10 && !overlap; ++round) {
      auto first = loaded.session->submit(micro_batch(0), options);
      auto second = loaded.session->submit(micro_batch(16), options);
      REQUIRE(first);
      REQUIRE(second);
      auto a = first->wait();
      auto b = second->wait();
      REQUIRE_MESSAGE(a, a.error().message());
      REQUIRE_MESSAGE(b, b.error().message());
      CHECK(max_difference((*a)[0], want[0][0]) < 1e-3 * largest_magnitude(want[0][0]));
      CHECK(max_difference((*b)[0], want[1][0]) < 1e-3 * largest_magnitude(want[1][0]));
      CHECK(max_difference((*a)[0], one_at_a_time[0]) == 0);
      const auto events = options.trace->events();
      for (const TraceEvent& x : events) {
        for (const TraceEvent& y : events) overlap = overlap || overlaps(x, y);
      }
    }
    CHECK(overlap);
  }
}
