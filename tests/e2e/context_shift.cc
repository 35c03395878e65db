// A text that is much longer than its context, against fresh runs over what was kept of it.
#include <doctest/doctest.h>

#include <algorithm>
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

/// The new tokens of a text; without their logits, which would be too many.
std::vector<TokenId> run(Batcher& batcher, GenerateRequest request, FinishReason& finish) {
  REQUIRE(batcher.add(std::move(request)));
  std::vector<TokenId> out;
  while (!batcher.idle()) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    for (const TokenEvent& event : *events) {
      if (event.token >= 0) out.push_back(event.token);
      finish = event.finish;
    }
  }
  return out;
}

TEST_CASE("context shift: 20,000 tokens in a context of 64, each piece as a fresh run has it") {
  ArchOptions arch;
  arch.context_max = 64;
  const LanguageModel model =
      load_language_model(stories_path("q8_0"), make_runtime({"cpu"}), arch);
  REQUIRE(model.context_tokens == 64);
  for (const std::int64_t lookup : {0, 2}) {
    CAPTURE(lookup);
    BatcherOptions options;
    options.speculation = {.draft_tokens = 4, .lookup_tokens = lookup, .adaptive = false};
    TestBatcher test = make_batcher(model, 0, options);
    const std::size_t tokens = lookup > 0 ? 4000 : 20000;
    GenerateRequest request =
        greedy_request(model, "Once upon a time", static_cast<std::int64_t>(tokens));
    request.end_tokens.clear();
    request.shift_keep = 3;
    const std::vector<TokenId> prompt = request.prompt;
    FinishReason finish = FinishReason::kNone;
    const std::vector<TokenId> ids = run(*test.batcher, request, finish);
    REQUIRE(ids.size() == tokens);
    CHECK(finish == FinishReason::kLength);
    const BatcherCounters& counters = test.batcher->counters();
    CHECK(counters.shifts > static_cast<std::int64_t>(tokens) / 32);
    CHECK(counters.computed_tokens == static_cast<std::int64_t>(prompt.size()));
    // What is shown: at most 65, of which 3 stay and half of the others goes.
    CHECK(counters.dropped_tokens == counters.shifts * 31);
    CHECK(counters.recomputed_tokens == counters.shifts * 30);
    // The text after some shifts, from what was kept.
    std::vector<TokenId> shown = prompt;
    std::size_t at = 0;
    std::int64_t shifts = 0;
    while (at < ids.size()) {
      if (shown.size() > 64) {
        shown.erase(shown.begin() + 3, shown.begin() + 34);
        if (++shifts % 50 == 0) {
          TestBatcher fresh = make_batcher(model);
          GenerateRequest rest = request;
          rest.prompt = shown;
          rest.max_new_tokens = 31;
          rest.shift_keep = -1;
          const auto want = generate(*fresh.batcher, rest);
          const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(at);
          const auto count = std::min<std::ptrdiff_t>(ids.end() - begin, 31);
          CHECK(std::vector<TokenId>(begin, begin + count) ==
                std::vector<TokenId>(want.ids.begin(), want.ids.begin() + count));
        }
      }
      shown.push_back(ids[at++]);
    }
    CHECK(shifts == counters.shifts);
  }
}

TEST_CASE("context shift: 20,000 tokens in a context of 2048") {
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.context = 2048;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  const std::vector<std::byte> file = builder.file();
  const std::string path = folder.file("tiny.gguf");
  REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
  const LanguageModel model = load_language_model(path, make_runtime({"cpu"}));
  REQUIRE(model.context_tokens == 2048);
  // What is over is kept as far as there is room, and gives way.
  BatcherOptions options;
  options.retained_texts_max = 4;
  TestBatcher test = make_batcher(model, 0, options);
  GenerateRequest request;
  request.prompt = {1, 5, 6, 7};
  request.max_new_tokens = 20000;
  request.sampler.seed = 1;
  request.shift_keep = 1;
  FinishReason finish = FinishReason::kNone;
  const std::vector<TokenId> ids = run(*test.batcher, request, finish);
  CHECK(ids.size() == 20000);
  CHECK(finish == FinishReason::kLength);
  const BatcherCounters& counters = test.batcher->counters();
  // What is shown is at most 2049, of which one stays and half of the others goes.
  CHECK(counters.shifts == 1 + (4 + 20000 - 2050) / 1024);
  CHECK(counters.dropped_tokens == counters.shifts * 1024);
  CHECK(counters.recomputed_tokens == counters.shifts * 1023);
}

}  // namespace
}  // namespace polaris
