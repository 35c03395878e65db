// Drafted tokens change how many steps a text takes, and nothing of the text.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "support/generation.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::int64_t kPage = 4;

LanguageModel stories(const std::string& storage = "q8_0", std::int64_t context = 0) {
  ArchOptions arch;
  arch.page_size = kPage;
  if (context > 0) arch.context_max = context;
  return load_language_model(stories_path(storage), make_runtime({"cpu"}), arch);
}

/// Drafts as many as there are; steps of one size, which give equal bits.
BatcherOptions drafting(std::int64_t lookup) {
  BatcherOptions options;
  options.bucket_min = 16;
  options.speculation.lookup_tokens = lookup;
  options.speculation.draft_tokens = 5;
  options.speculation.adaptive = false;
  return options;
}

BatcherOptions plain() {
  BatcherOptions options;
  options.bucket_min = 16;
  return options;
}

std::unique_ptr<DraftModel> draft_of(const LanguageModel& model, std::int64_t pages = 0) {
  CacheNeed need;
  need.tokens = model.context_tokens;
  need.step_tokens = 128;
  auto pool = pages > 0 ? KvPool::create(model.program, pages)
                        : KvPool::create(model.program, pages_for(model.contract().groups, need));
  REQUIRE(pool);
  auto session = Session::create(model.program, *pool);
  REQUIRE(session);
  return std::make_unique<DraftModel>(model, session.take(), pool.take(), 128);
}

struct Count {
  std::int64_t steps = 0;
  BatcherCounters counters;
};

std::vector<Generated> run_all(Batcher& batcher, const std::vector<GenerateRequest>& requests,
                               Count* count = nullptr) {
  for (const GenerateRequest& request : requests) REQUIRE(batcher.add(request));
  std::vector<Generated> got;
  std::int64_t steps = 0;
  while (!batcher.idle()) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
    ++steps;
  }
  if (count != nullptr) *count = {steps, batcher.counters()};
  return got;
}

/// Texts that repeat themselves, and every way of sampling.
std::vector<GenerateRequest> some_requests(const LanguageModel& model) {
  std::vector<GenerateRequest> out;
  const std::string once = "Lily had a red ball. Tom had a blue ball. ";
  for (const std::string& prompt : {once + once + "Lily", once + "Lily had", std::string("Once")}) {
    GenerateRequest request = greedy_request(model, prompt, 40);
    out.push_back(request);
    request.sampler.temperature = 0.7f;
    request.sampler.seed = out.size();
    out.push_back(request);
    request.sampler.mirostat = 2;
    request.sampler.mirostat_tau = 2;
    out.push_back(request);
    request.sampler.mirostat = 0;
    request.sampler.repetition_penalty = 1.2f;
    request.sampler.frequency_penalty = 0.3f;
    out.push_back(request);
  }
  return out;
}

void check_equal(const std::vector<Generated>& got, const std::vector<Generated>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].ids == want[i].ids);
    CHECK(got[i].finish == want[i].finish);
    CHECK(got[i].logits == want[i].logits);
  }
}

TEST_CASE("drafts: looked up, texts and logits are the same to the last bit in fewer steps") {
  const LanguageModel model = stories();
  const auto requests = some_requests(model);
  for (const bool together : {true, false}) {
    for (std::size_t i = 0; i < (together ? 1 : requests.size()); ++i) {
      CAPTURE(i);
      const auto some = together ? requests : std::vector<GenerateRequest>{requests[i]};
      TestBatcher without = make_batcher(model, 500, plain());
      TestBatcher with = make_batcher(model, 500, drafting(1));
      Count before;
      Count after;
      const auto want = run_all(*without.batcher, some, &before);
      check_equal(run_all(*with.batcher, some, &after), want);
      CHECK(before.counters.drafted == 0);
      CHECK(after.counters.drafted > 0);
      CHECK(after.counters.accepted <= after.counters.drafted);
      CHECK(after.steps <= before.steps);
      if (!together) CHECK(after.steps == before.steps - after.counters.accepted);
      CHECK(with.pool->free_pages() == with.pool->page_count());
    }
  }
}

TEST_CASE("drafts: a model that is the same one is right with every token, drawn or not") {
  const LanguageModel model = stories();
  const auto requests = some_requests(model);
  TestBatcher without = make_batcher(model, 500, plain());
  BatcherOptions options = drafting(0);
  TestBatcher with = make_batcher(model, 500, options);
  auto draft = draft_of(model, 500);
  const KvPool& pool = draft->pool();
  REQUIRE(with.batcher->set_draft_model(std::move(draft)));
  Count count;
  check_equal(run_all(*with.batcher, requests, &count), run_all(*without.batcher, requests));
  // Rows of other steps have other last bits; mirostat's own number is of what was drafted too.
  CHECK(count.counters.accepted >= count.counters.drafted * 9 / 10);
  CHECK(count.steps < 25);
  CHECK(pool.free_pages() == pool.page_count());
}

TEST_CASE("drafts: a small model's, of another storage, with lookup beside it") {
  const LanguageModel model = stories("f32");
  const auto requests = some_requests(model);
  TestBatcher without = make_batcher(model, 500, plain());
  const auto want = run_all(*without.batcher, requests);
  for (const std::int64_t lookup : {0, 3}) {
    for (const std::int64_t pages : {0, 20}) {  // not enough: some texts are without
      TestBatcher with = make_batcher(model, 500, drafting(lookup));
      REQUIRE(with.batcher->set_draft_model(draft_of(stories("q4_0"), pages)));
      Count count;
      check_equal(run_all(*with.batcher, requests, &count), want);
      CHECK(count.counters.accepted > (pages == 0 ? 100 : 5));
      CHECK(count.counters.accepted < count.counters.drafted);
    }
  }
}

TEST_CASE("drafts: adaptive ones too, by a clock where they pay") {
  const LanguageModel model = stories();
  BatcherOptions options = drafting(0);
  options.speculation.adaptive = true;
  std::int64_t now = 0;
  options.clock_ns = [&] { return now += 1'000'000; };  // every step takes the same
  TestBatcher with = make_batcher(model, 0, options);
  REQUIRE(with.batcher->set_draft_model(draft_of(model)));
  GenerateRequest request = some_requests(model)[0];
  request.max_new_tokens = 100;
  request.end_tokens.clear();
  TestBatcher without = make_batcher(model, 0, plain());
  Count count;
  check_equal(run_all(*with.batcher, {request}, &count), run_all(*without.batcher, {request}));
  CHECK(count.counters.accepted > 60);
  CHECK(count.steps < 40);
}

TEST_CASE("drafts: texts end where they end without: by count, end token, context, forced ids") {
  const LanguageModel model = stories();
  GenerateRequest request = some_requests(model)[0];
  const auto check = [&](const GenerateRequest& each) {
    TestBatcher without = make_batcher(model, 0, plain());
    TestBatcher with = make_batcher(model, 0, drafting(1));
    const auto want = run_all(*without.batcher, {each});
    check_equal(run_all(*with.batcher, {each}), want);
    return want[0];
  };
  for (std::int64_t tokens = 1; tokens < 8; ++tokens) {
    request.max_new_tokens = tokens;
    CHECK(check(request).ids.size() == static_cast<std::size_t>(tokens));
  }
  request.max_new_tokens = 40;
  const Generated free = check(request);
  // Each token that comes, as the one that ends the text.
  for (std::size_t i = 0; i < 20; i += 3) {
    request.end_tokens = {free.ids[i]};
    CHECK(check(request).finish == FinishReason::kEnd);
  }
  request.end_tokens.clear();
  request.max_new_tokens = 10000;
  const Generated full = check(request);
  CHECK(full.finish == FinishReason::kContext);
  request.forced = {400, 401, 402, 400, 401, 402};
  request.max_new_tokens = 6;
  CHECK(check(request).ids == request.forced);
}

TEST_CASE("drafts: prefixes are shared and texts give way as without") {
  const LanguageModel model = stories();
  const auto requests = some_requests(model);
  TestBatcher without = make_batcher(model, 500, plain());
  const auto want = run_all(*without.batcher, requests);
  BatcherOptions options = drafting(1);
  options.retained_texts_max = 4;
  TestBatcher with = make_batcher(model, 60, options);  // 240 tokens: hardly room for three
  Count count;
  check_equal(run_all(*with.batcher, requests, &count), want);
  CHECK(count.counters.preempted > 0);
  CHECK(with.batcher->retained_texts() > 0);
  with.batcher.reset();
  CHECK(with.pool->free_pages() == with.pool->page_count());
}

TEST_CASE("drafts: a model of another vocabulary is refused, by what differs") {
  const TemporaryFolder folder;
  const auto tiny = [&](std::uint32_t vocab, const std::vector<std::string>& texts) {
    TinyLlama sizes;
    sizes.vocab = vocab;
    if (!texts.empty()) sizes.without = {"tokenizer.ggml.tokens"};
    GgufBuilder builder = tiny_llama(sizes);
    add_tokenizer(builder, sizes, texts);
    const std::vector<std::byte> file = builder.file();
    const std::string path = folder.file("tiny.gguf");
    REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
    return load_language_model(path, make_runtime({"cpu"}));
  };
  const LanguageModel target = tiny(24, {});
  const auto refusal = [&](const LanguageModel& draft) {
    TestBatcher test = make_batcher(target);
    const Status status = test.batcher->set_draft_model(draft_of(draft));
    return status ? std::string() : status.error().message();
  };
  CHECK(refusal(tiny(24, {})).empty());
  CHECK(refusal(tiny(30, {})).empty());  // padding at the end
  CHECK(refusal(tiny(24, {"other"})) ==
        "[draft] token 23 of the draft model, got 'other', wanted 't23' as the model has it: both "
        "need the same vocabulary");
  CHECK(refusal(tiny(24 + 129, {})) ==
        "[draft] count of tokens of the draft model, got 153, wanted 24 as the model has it: both "
        "need the same vocabulary");
}

TEST_CASE("context shift: neighbours, small pools and draws that do not repeat") {
  const LanguageModel model = stories("q8_0", 64);
  GenerateRequest request = greedy_request(model, "Once upon a time", 150);
  request.end_tokens.clear();
  request.shift_keep = 0;
  request.sampler.temperature = 1;
  request.sampler.seed = 3;
  TestBatcher alone = make_batcher(model, 0, plain());
  const auto want = generate(*alone.batcher, request);
  CHECK(want.ids.size() == 150);
  // Three together with room for less than two; a text that gave way goes on as it was.
  TestBatcher crowd = make_batcher(model, 28, drafting(2));
  Count count;
  const auto got = run_all(*crowd.batcher, {request, request, request}, &count);
  for (const Generated& each : got) CHECK(each.ids == want.ids);
  CHECK(count.counters.preempted > 0);
  CHECK(crowd.pool->free_pages() == crowd.pool->page_count());
  // A pool smaller than the context is the context then.
  TestBatcher small = make_batcher(model, 10, plain());
  CHECK(generate(*small.batcher, request).ids.size() == 150);
  request.shift_keep = 63;
  CHECK(alone.batcher->add(request).error().message() ==
        "[generate] tokens to keep, got 63, wanted at most 62 of a context of 64");
  request.shift_keep = 62;
  CHECK(generate(*alone.batcher, request).ids.size() == 150);
  // Off it ends.
  request.shift_keep = -1;
  CHECK(generate(*alone.batcher, request).finish == FinishReason::kContext);
}

}  // namespace
}  // namespace polaris
