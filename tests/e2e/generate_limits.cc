// Where things end: block table rows, contexts, pools, requests that cannot fit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/generation.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

LanguageModel small_pages(std::shared_ptr<Runtime> runtime) {
  ArchOptions arch;
  arch.page_size = 4;
  return load_language_model(stories_path("q8_0"), std::move(runtime), arch);
}

GenerateRequest endless(const LanguageModel& model, const std::string& prompt,
                        std::int64_t max_new_tokens) {
  GenerateRequest request = greedy_request(model, prompt, max_new_tokens);
  request.end_tokens.clear();
  return request;
}

double largest_difference(const Generated& a, const Generated& b) {
  REQUIRE(a.logits.size() == b.logits.size());
  double out = 0;
  for (std::size_t s = 0; s < a.logits.size(); ++s) {
    for (std::size_t i = 0; i < a.logits[s].size(); ++i) {
      out = std::max(
          out, std::abs(static_cast<double>(a.logits[s][i]) - static_cast<double>(b.logits[s][i])));
    }
  }
  return out;
}

void check_growing_rows(const std::string& device, std::int64_t count) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const LanguageModel model = small_pages(runtime);
  BatcherOptions narrow;
  narrow.table_width_min = 1;
  TestBatcher growing = make_batcher(model, 0, narrow);
  TestBatcher wide = make_batcher(model);
  const GenerateRequest request = endless(model, "Once upon a time", count);
  const Generated grown = generate(*growing.batcher, request);
  const Generated whole = generate(*wide.batcher, request);
  CHECK(grown.ids == whole.ids);
  CHECK(largest_difference(grown, whole) <= 1e-3);
}

TEST_CASE("a cache outgrows its block table row: reference") {
  check_growing_rows("reference", 16);
}
TEST_CASE("a cache outgrows its block table row: cpu") { check_growing_rows("cpu", 300); }
TEST_CASE("a cache outgrows its block table row: vulkan") { check_growing_rows("vulkan", 32); }

TEST_CASE("a full context ends the text") {
  LanguageModel model = small_pages(make_runtime({"cpu"}));
  TestBatcher whole = make_batcher(model);
  const GenerateRequest request = endless(model, "Once upon a time", 100);
  const Generated unlimited = generate(*whole.batcher, request);
  model.context_tokens = 24;
  TestBatcher test = make_batcher(model);
  const Generated got = generate(*test.batcher, request);
  CHECK(got.finish == FinishReason::kContext);
  CHECK(finish_reason_name(got.finish) == "context");
  // The last token is picked from a full context and needs no place in it.
  CHECK(request.prompt.size() + got.ids.size() == 25);
  CHECK(std::equal(got.ids.begin(), got.ids.end(), unlimited.ids.begin()));
  CHECK(test.pool->free_pages() == test.pool->page_count());
}

TEST_CASE("a full pool ends a sequence that is alone") {
  const LanguageModel model = small_pages(make_runtime({"cpu"}));
  TestBatcher whole = make_batcher(model);
  const GenerateRequest request = endless(model, "Once upon a time", 100);
  const Generated unlimited = generate(*whole.batcher, request);
  TestBatcher test = make_batcher(model, 5);
  const Generated got = generate(*test.batcher, request);
  CHECK(got.finish == FinishReason::kCache);
  CHECK(finish_reason_name(got.finish) == "cache");
  CHECK(request.prompt.size() + got.ids.size() == 21);
  CHECK(std::equal(got.ids.begin(), got.ids.end(), unlimited.ids.begin()));
  CHECK(test.pool->free_pages() == 5);
}

TEST_CASE("a full pool makes the youngest wait, and both texts come out whole") {
  const LanguageModel model = small_pages(make_runtime({"cpu"}));
  const std::vector<GenerateRequest> requests = {endless(model, "Once upon a time", 40),
                                                 endless(model, "The dog", 40)};
  std::vector<Generated> alone;
  for (const GenerateRequest& request : requests) {
    TestBatcher test = make_batcher(model);
    alone.push_back(generate(*test.batcher, request));
  }
  // 80 tokens: both of them as texts usually are, not both whole.
  TestBatcher test = make_batcher(model, 20);
  std::vector<Generated> got;
  for (const GenerateRequest& request : requests) REQUIRE(test.batcher->add(request));
  std::int64_t most_running = 0;
  bool waited = false;
  while (!test.batcher->idle()) {
    auto events = test.batcher->step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
    waited =
        waited || (most_running == 2 && test.batcher->running() == 1 && got[0].ids.size() < 40);
    most_running = std::max(most_running, test.batcher->running());
  }
  CHECK(most_running == 2);
  CHECK(waited);
  REQUIRE(got.size() == 2);
  for (std::size_t r = 0; r < 2; ++r) {
    CAPTURE(r);
    CHECK(got[r].finish == FinishReason::kLength);
    CHECK(got[r].ids == alone[r].ids);
  }
  CHECK(test.pool->free_pages() == 20);
}

TEST_CASE("a request that cannot fit is refused with both sizes") {
  const LanguageModel model = small_pages(make_runtime({"cpu"}));
  TestBatcher test = make_batcher(model, 4);
  GenerateRequest request;
  request.prompt.assign(600, 5);
  auto id = test.batcher->add(request);
  REQUIRE_FALSE(id.ok());
  CHECK(id.error().code() == ErrorCode::kExhausted);
  const std::string message = id.error().message();
  CAPTURE(message);
  CHECK(message.find("got 600 tokens") != std::string::npos);
  CHECK(message.find("at most 16") != std::string::npos);
  CHECK(message.find("context 512") != std::string::npos);
  CHECK(message.find("cache 16") != std::string::npos);
  CHECK(test.batcher->idle());
  request.prompt.assign(16, 5);
  CHECK(test.batcher->add(request));
}

TEST_CASE("prompts that mean nothing are refused") {
  const LanguageModel model = small_pages(make_runtime({"cpu"}));
  TestBatcher test = make_batcher(model);
  GenerateRequest request;
  CHECK_FALSE(test.batcher->add(request).ok());
  request.prompt = {static_cast<TokenId>(model.vocabulary)};
  auto id = test.batcher->add(request);
  REQUIRE_FALSE(id.ok());
  CHECK(id.error().code() == ErrorCode::kInvalid);
  request.prompt = {-1};
  CHECK_FALSE(test.batcher->add(request).ok());
  CHECK(test.batcher->idle());
}

}  // namespace
}  // namespace polaris
