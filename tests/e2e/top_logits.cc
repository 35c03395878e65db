// The likeliest tokens in place of whole rows of logits: the same texts, and fewer bytes on their
// way back from the card.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "load/load.h"
#include "support/generation.h"
#include "support/grammar_text.h"
#include "support/sampler_sweep.h"
#include "support/session_run.h"
#include "support/split_case.h"
#include "support/vulkan.h"

namespace polaris {
namespace {

using namespace test;

struct Opened {
  std::shared_ptr<Runtime> runtime;
  std::unique_ptr<Batcher> batcher;
};

Opened open(std::shared_ptr<Runtime> runtime, std::int64_t top, std::int64_t sequences,
            std::int64_t lookup = 0) {
  GenerationOptions options;
  options.context = 256;
  options.sequences = sequences;
  options.top_logits = top;
  options.batcher.sequences_max = sequences;
  options.batcher.speculation.lookup_tokens = lookup;
  options.batcher.speculation.adaptive = false;
  LoadOptions load;
  load.arch = generator_arch_options(options);
  auto model = load_model(stories_path("f32"), runtime->ops(), load);
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto batcher = polaris::make_batcher(runtime, *model, {}, options);
  REQUIRE_MESSAGE(batcher.ok(), batcher.error().message());
  return {std::move(runtime), batcher.take()};
}

std::int64_t read_back(Runtime& runtime) {
  std::int64_t out = 0;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
    out += runtime.traffic(d).from_device;
  }
  return out;
}

std::vector<Generated> run_all(Batcher& batcher, const std::vector<GenerateRequest>& requests) {
  for (const GenerateRequest& request : requests) {
    const auto id = batcher.add(request);
    REQUIRE_MESSAGE(id.ok(), id.error().message());
  }
  std::vector<Generated> out;
  while (!batcher.idle()) {
    const auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, out);
  }
  return out;
}

/// Texts of settings drawn from all of them, some of a grammar, some whose logits are asked for.
std::vector<GenerateRequest> swept_requests(const LanguageModel& model, std::size_t count,
                                            std::int64_t tokens) {
  std::vector<SamplerOptions> sweep = sampler_sweep(model.vocabulary);
  std::mt19937 random(5);
  std::ranges::shuffle(sweep, random);
  const auto grammar = grammar_of("root ::= ([A-Z] [a-z ]{1,30} \".\" \" \"?){1,9}");
  const char* prompts[] = {"Once upon a time", "Lily and Tom went to", "The cat"};
  std::vector<GenerateRequest> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(greedy_request(model, prompts[i % 3], tokens));
    out.back().sampler = sweep[i];
    if (i % 5 == 0) out.back().sampler.grammar = grammar;
    out.back().logits = i % 7 == 0;
  }
  return out;
}

void check_same_texts(const std::vector<std::shared_ptr<Runtime>>& runtimes, std::size_t count,
                      std::int64_t tokens, std::int64_t lookup) {
  const auto sequences = static_cast<std::int64_t>(count);
  std::vector<Generated> want;
  std::vector<GenerateRequest> requests;
  std::int64_t whole = 0;
  const std::int64_t tops[] = {0, 16, 128};
  for (std::size_t r = 0; r < runtimes.size(); ++r) {
    CAPTURE(tops[r]);
    Opened opened = open(runtimes[r], tops[r], sequences, lookup);
    if (requests.empty()) requests = swept_requests(opened.batcher->model(), count, tokens);
    const std::int64_t before = read_back(*opened.runtime);
    const std::vector<Generated> got = run_all(*opened.batcher, requests);
    const std::int64_t bytes = read_back(*opened.runtime) - before;
    if (r == 0) {
      want = got;
      whole = bytes;
      continue;
    }
    MESSAGE(tops[r], " likeliest: ", bytes, " bytes read back in place of ", whole);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(got[i].ids == want[i].ids);
      CHECK(got[i].finish == want[i].finish);
      if (requests[i].logits) CHECK(got[i].logits == want[i].logits);
    }
  }
}

}  // namespace

TEST_CASE("top logits: all settings of samplers write the same texts on the cpu") {
  for (const std::int64_t lookup : {0, 1}) {
    const auto runtime = [] { return make_runtime({"cpu"}); };
    check_same_texts({runtime(), runtime(), runtime()}, 120, 16, lookup);
  }
}

TEST_CASE("top logits: all settings of samplers write the same texts on a card") {
  std::vector<std::shared_ptr<Runtime>> runtimes;
  for (int i = 0; i < 3; ++i) {
    std::vector<std::unique_ptr<Device>> cards;
    cards.push_back(make_test_vulkan());
    if (!cards.back()) return;
    runtimes.push_back(runtime_on(std::move(cards)));
  }
  check_same_texts(runtimes, 40, 8, 1);
}

TEST_CASE("top logits: a step reads back the likeliest alone, and rows that are asked for") {
  std::vector<std::unique_ptr<Device>> cards;
  cards.push_back(make_test_vulkan());
  if (!cards.back()) return;
  const auto runtime = runtime_on(std::move(cards));
  constexpr std::int64_t kTop = 16;
  constexpr std::int64_t kVocabulary = 1536;
  const auto step_bytes = [&](std::int64_t top, void (*change)(GenerateRequest&)) {
    Opened opened = open(runtime, top, 1);
    GenerateRequest request = greedy_request(opened.batcher->model(), "Once upon a time", 8);
    change(request);
    REQUIRE(opened.batcher->add(request).ok());
    REQUIRE(opened.batcher->step().ok());
    const std::int64_t before = runtime->traffic(0).from_device;
    const auto events = opened.batcher->step();
    REQUIRE(events.ok());
    const std::size_t told = (*events)[0].logits.size();
    const bool whole = request.logits || top == 0 || request.sampler.mirostat != 0;
    CHECK(told == (whole ? kVocabulary : 0));
    return runtime->traffic(0).from_device - before;
  };
  constexpr std::int64_t kRow = kVocabulary * 4;
  constexpr std::int64_t kTopBytes = kTop * 12;
  CHECK(step_bytes(0, [](GenerateRequest&) {}) == kRow);
  CHECK(step_bytes(kTop, [](GenerateRequest&) {}) == kTopBytes);
  CHECK(step_bytes(kTop, [](GenerateRequest& r) { r.logits = true; }) == kTopBytes + kRow);
  CHECK(step_bytes(kTop, [](GenerateRequest& r) {
          r.sampler.temperature = 1;
          r.sampler.mirostat = 2;
        }) == kTopBytes + kRow);
}

}  // namespace polaris
