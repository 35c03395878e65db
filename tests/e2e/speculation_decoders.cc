// Drafts over every kind of decoder: windows that let go of pages, experts, other positions.
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/generation.h"
#include "support/session_run.h"
#include "support/skip.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

LanguageModel small_pages(const std::string& name) {
  ArchOptions arch;
  arch.page_size = 2;
  arch.kv_type = KvType::kF32;
  return load_language_model(std::string(kSourceDir) + "/tests/data/decoders/" + name + ".gguf",
                             make_runtime({"cpu"}), arch);
}

std::vector<Generated> run_all(Batcher& batcher, const std::vector<GenerateRequest>& requests) {
  for (const GenerateRequest& request : requests) REQUIRE(batcher.add(request));
  std::vector<Generated> got;
  while (!batcher.idle()) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
  }
  return got;
}

TEST_CASE("drafts give the same bits over windows and experts, and lose no page") {
  for (const std::string name : {"gemma3", "gemma2", "gpt-oss", "phi3-short", "qwen3moe", "gpt2"}) {
    CAPTURE(name);
    const LanguageModel model = small_pages(name);
    std::vector<GenerateRequest> requests;
    for (TokenId first = 3; first < 6; ++first) {
      GenerateRequest request;
      for (TokenId i = 0; i < 14; ++i) request.prompt.push_back(first + i % 5);
      request.max_new_tokens = 18;
      request.sampler.temperature = first == 4 ? 1.0f : 0.0f;
      requests.push_back(request);
    }
    BatcherOptions options;
    options.bucket_min = 32;
    options.table_width_min = 1;
    TestBatcher plain = make_batcher(model, 64, options);
    const auto want = run_all(*plain.batcher, requests);
    for (const std::int64_t lookup : {0, 1}) {
      CAPTURE(lookup);
      options.speculation = {.draft_tokens = 5, .lookup_tokens = lookup, .adaptive = false};
      TestBatcher test = make_batcher(model, 64, options);
      CacheNeed need;
      need.tokens = model.context_tokens;
      need.sequences = 3;
      need.step_tokens = 32;
      auto pool = KvPool::create(model.program, pages_for(model.contract().groups, need));
      REQUIRE(pool);
      auto session = Session::create(model.program, *pool);
      REQUIRE(session);
      if (lookup == 0) {
        REQUIRE(test.batcher->set_draft_model(
            std::make_unique<DraftModel>(model, session.take(), *pool, 32)));
      }
      const auto got = run_all(*test.batcher, requests);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        CAPTURE(i);
        CHECK(got[i].ids == want[i].ids);
        CHECK(got[i].logits == want[i].logits);
      }
      CHECK(test.batcher->counters().drafted > 0);
      if (lookup == 0) CHECK(test.batcher->counters().accepted > 30);
      for (std::size_t g = 0; g < test.pool->groups().size(); ++g) {
        CHECK(test.pool->free_pages(g) == test.pool->page_count(g));
        CHECK((*pool)->free_pages(g) == (*pool)->page_count(g));
      }
    }
  }
}

TEST_CASE("drafts give a real model's greedy text in fewer steps") {
  const char* folder = std::getenv("POLARIS_MODELS");
  if (folder == nullptr) return skip("POLARIS_MODELS is not set");
  const std::string path =
      std::string(folder) + "/qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
  if (path_kind(path) == PathKind::kMissing) return skip(path + " is not there");
  ArchOptions arch;
  arch.context_max = 512;
  const LanguageModel model = load_language_model(path, make_runtime({"cpu"}), arch);
  const std::string code =
      "def area(width, height):\n    return width * height\n\n\ndef volume(width, height, "
      "depth):\n    return area(width, height) * depth\n\n\n";
  const GenerateRequest request = greedy_request(model, code + "# The same again:\n", 48);
  TestBatcher plain = make_batcher(model);
  const Generated want = generate(*plain.batcher, request);
  BatcherOptions options;
  options.speculation = {.draft_tokens = 7, .lookup_tokens = 2, .adaptive = false};
  TestBatcher test = make_batcher(model, 0, options);
  CHECK(generate(*test.batcher, request).ids == want.ids);
  const BatcherCounters& counters = test.batcher->counters();
  MESSAGE(counters.accepted << " of " << counters.drafted << " drafted tokens were right, of "
                            << want.ids.size() << " in all");
  CHECK(counters.accepted > 15);
}

}  // namespace
}  // namespace polaris
