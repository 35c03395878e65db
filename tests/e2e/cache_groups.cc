// A decoder over a full, a sliding-window and a cross-attention cache group, against its definition
// over whole sequences without a cache.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/cache_model.h"
#include "support/generation.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::size_t kFull = 0, kWindow = 1, kCross = 2;

Tensor source_of(std::int64_t positions, float seed) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < positions * kCacheModelWidth; ++i) {
    values.push_back(std::sin(seed + 0.7f * static_cast<float>(i)));
  }
  return floats({positions, kCacheModelWidth}, values);
}

/// Tokens that are forced, and the source they are over.
struct Text {
  std::vector<TokenId> prompt;
  std::vector<TokenId> forced;
  Tensor source;

  GenerateRequest request() const {
    GenerateRequest out;
    out.prompt = prompt;
    out.forced = forced;
    out.max_new_tokens = static_cast<std::int64_t>(forced.size());
    out.source = source;
    return out;
  }
  std::vector<TokenId> all() const {
    std::vector<TokenId> out = prompt;
    out.insert(out.end(), forced.begin(), forced.end());
    return out;
  }
};

Text text_of(std::size_t prompt, std::size_t forced, std::int64_t positions, int seed) {
  Text out;
  for (std::size_t i = 0; i < prompt + forced; ++i) {
    const auto id = static_cast<TokenId>((i * i * 7 + i * 3 + static_cast<std::size_t>(seed)) % 12);
    (i < prompt ? out.prompt : out.forced).push_back(id);
  }
  out.source = source_of(positions, static_cast<float>(seed));
  return out;
}

struct Running {
  Model definition = cache_model();
  std::shared_ptr<KvPool> pool;
  std::unique_ptr<Batcher> batcher;
};

Running make_running(std::shared_ptr<Runtime> runtime, const CacheNeed& need,
                     const BatcherOptions& options = {}) {
  Running out;
  Model model = cache_model();
  auto language = LanguageModel::without_tokenizer(std::move(runtime), model);
  REQUIRE_MESSAGE(language, language.error().message());
  auto pool = KvPool::create(language->program, pages_for(language->contract().groups, need));
  REQUIRE_MESSAGE(pool, pool.error().message());
  auto session = Session::create(language->program, *pool);
  REQUIRE_MESSAGE(session, session.error().message());
  out.pool = *pool;
  out.batcher = std::make_unique<Batcher>(language.take(), session.take(), pool.take(), options);
  return out;
}

void check_logits(const Running& running, const Text& text, const Generated& got) {
  const auto want = cache_model_logits(running.definition, text.all(), text.source);
  REQUIRE(got.logits.size() == text.forced.size());
  for (std::size_t i = 0; i < got.logits.size(); ++i) {
    const std::vector<double>& row = want[text.prompt.size() - 1 + i];
    double largest = 0;
    for (const double value : row) largest = std::max(largest, std::abs(value));
    for (std::size_t v = 0; v < row.size(); ++v) {
      CHECK(static_cast<double>(got.logits[i][v]) ==
            doctest::Approx(row[v]).epsilon(1e-4 * largest));
    }
  }
}

void run_all(Running& running, const std::vector<Text>& texts) {
  for (const Text& text : texts) {
    const auto id = running.batcher->add(text.request());
    REQUIRE_MESSAGE(id, id.error().message());
  }
  std::vector<Generated> got;
  while (!running.batcher->idle()) {
    auto events = running.batcher->step();
    REQUIRE_MESSAGE(events, events.error().message());
    collect(*events, got);
  }
  REQUIRE(got.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].finish == FinishReason::kLength);
    check_logits(running, texts[i], got[i]);
  }
}

std::vector<Text> three_texts() {
  return {text_of(3, 30, 11, 1), text_of(21, 14, 8, 2), text_of(9, 20, 1, 3)};
}

CacheNeed need_of(std::int64_t sequences) { return {sequences, kCacheModelContext, 16, 24}; }

void check_all_free(const Running& running) {
  for (std::size_t g = 0; g < 3; ++g) {
    CHECK(running.pool->free_pages(g) == running.pool->page_count(g));
  }
}

}  // namespace

TEST_CASE("three cache groups give what the definition gives, together and one by one") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) {
    CAPTURE(device);
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    Running together = make_running(runtime, need_of(3));
    run_all(together, three_texts());
    check_all_free(together);
    for (const Text& text : three_texts()) {
      Running alone = make_running(runtime, need_of(1), {.tokens_per_step = 4});
      run_all(alone, {text});
    }
  }
}

TEST_CASE("a window lets its pages go while a sequence runs, an encoder's are written once") {
  auto runtime = make_runtime({"cpu"});
  Running running = make_running(runtime, need_of(1), {.tokens_per_step = 4});
  const KvPool& pool = *running.pool;
  CHECK(pool.page_count(kFull) == 12);
  CHECK(pool.page_count(kWindow) == 11);
  CHECK(pool.page_count(kCross) == 3);
  REQUIRE(running.batcher->add(text_of(1, 40, 17, 4).request()));
  std::int64_t step = 0;
  while (!running.batcher->idle()) {
    REQUIRE(running.batcher->step());
    ++step;
    if (running.batcher->idle()) break;
    CHECK(pool.page_count(kFull) - pool.free_pages(kFull) == (step + 3) / 4);
    // What the next token reads: four positions, in two or three pages.
    CHECK(pool.page_count(kWindow) - pool.free_pages(kWindow) <= 3);
    CHECK(pool.free_pages(kCross) == 0);
  }
  CHECK(step == 40);
  check_all_free(running);
}

TEST_CASE("sequences that give way are encoded and computed again") {
  auto runtime = make_runtime({"cpu"});
  // Room for one and a half.
  Running running = make_running(runtime, {1, kCacheModelContext, 16, 24});
  run_all(running, {text_of(3, 30, 11, 1), text_of(5, 30, 8, 2)});
  check_all_free(running);
}

TEST_CASE("sources that do not fit are refused before anything runs") {
  auto runtime = make_runtime({"cpu"});
  Running running = make_running(runtime, need_of(1));
  const auto error_of = [&](Tensor source) {
    GenerateRequest request = text_of(2, 2, 3, 1).request();
    request.source = std::move(source);
    auto id = running.batcher->add(std::move(request));
    REQUIRE_FALSE(id);
    return id.error();
  };
  CHECK(error_of({}).message().find("source, got nothing") != std::string::npos);
  CHECK(error_of(floats({2, 7}, std::vector<float>(14))).code() == ErrorCode::kInvalid);
  CHECK(error_of(floats({8}, std::vector<float>(8))).code() == ErrorCode::kInvalid);
  CHECK(error_of(floats({0, 8}, {})).code() == ErrorCode::kInvalid);
  CHECK(error_of(ints({1, 8}, std::vector<std::int32_t>(8))).code() == ErrorCode::kInvalid);
  CHECK(error_of(source_of(25, 1)).code() == ErrorCode::kExhausted);
  run_all(running, {text_of(2, 3, 24, 1)});
}

}  // namespace polaris
