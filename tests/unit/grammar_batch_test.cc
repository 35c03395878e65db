// Texts of grammars beside each other and beside texts of none: each is what it is alone, also when
// it has to give its pages back, and when its tokens are drafted.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pipeline/schema/json_schema.h"
#include "support/generation.h"
#include "support/grammar_text.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

GenerateRequest request_of(const LanguageModel& model, std::uint64_t seed,
                           std::shared_ptr<const grammar::Grammar> grammar) {
  GenerateRequest out = greedy_request(model, "Once upon a time", 60);
  out.sampler.temperature = 1.5f;
  out.sampler.seed = seed;
  out.sampler.grammar = std::move(grammar);
  return out;
}

TEST_CASE("grammar batch: texts are what they are alone") {
  const LanguageModel model = load_language_model(stories_path("q8_0"), make_runtime({"cpu"}));
  const auto list = grammar_of("root ::= item{2,4}\nitem ::= \"- \" [a-z ]{1,30} \"\\n\"");
  auto schema = parse_schema(R"({"type": "array", "items": {"type": "string", "maxLength": 9},
                                 "minItems": 3, "maxItems": 5})");
  REQUIRE(schema.ok());
  const std::shared_ptr<const grammar::Grammar> json = schema.take();
  std::vector<GenerateRequest> requests;
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    requests.push_back(request_of(model, seed,
                                  seed % 3 == 0   ? list
                                  : seed % 3 == 1 ? json
                                                  : nullptr));
  }
  struct Case {
    std::int64_t pages;
    std::int64_t lookup;
  };
  for (const auto [pages, lookup] : {Case{0, 0}, Case{9, 0}, Case{0, 1}}) {
    CAPTURE(lookup);
    BatcherOptions options;
    options.bucket_min = 64;  // equal buckets give equal bits
    BatcherOptions drafting = options;
    drafting.speculation.lookup_tokens = lookup;
    drafting.speculation.adaptive = false;
    const auto together = make_batcher(model, pages, drafting);
    std::vector<Generated> wanted;
    for (const GenerateRequest& request : requests) {
      const auto fresh = make_batcher(model, 0, options);
      wanted.push_back(generate(*fresh.batcher, request));
    }
    for (const GenerateRequest& request : requests) REQUIRE(together.batcher->add(request).ok());
    std::vector<Generated> got;
    while (!together.batcher->idle()) {
      auto events = together.batcher->step();
      REQUIRE_MESSAGE(events.ok(), events.error().message());
      collect(*events, got);
    }
    REQUIRE(got.size() == requests.size());
    CHECK((together.batcher->counters().accepted > 0) == (lookup > 0));
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].ids == wanted[i].ids);
      CHECK(got[i].finish == wanted[i].finish);
      if (!requests[i].sampler.grammar || got[i].finish == FinishReason::kLength) continue;
      std::vector<TokenId> ids = got[i].ids;
      if (got[i].finish == FinishReason::kEnd) ids.pop_back();
      std::string text;
      for (const TokenId id : ids) text += model.tokenizer->piece(id);
      CAPTURE(text);
      CHECK(takes(requests[i].sampler.grammar, text));
    }
  }
}

TEST_CASE("grammar batch: forced tokens and a grammar exclude each other") {
  const LanguageModel model = load_language_model(stories_path("q8_0"), make_runtime({"cpu"}));
  GenerateRequest request = request_of(model, 1, grammar_of("root ::= \"a\""));
  request.forced = {5};
  const auto batcher = make_batcher(model);
  const auto id = batcher.batcher->add(request);
  REQUIRE_FALSE(id.ok());
  CHECK(id.error().message().find("grammar") != std::string::npos);
}

}  // namespace
}  // namespace polaris
