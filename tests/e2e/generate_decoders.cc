// Decoders of random float weights against llama.cpp's float kernels on the same files
// (tests/data/make_decoders.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/generation.h"
#include "support/peer_story.h"
#include "support/session_run.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;

constexpr const char* kDecoders[] = {
    "llama-yarn",     "llama-divisors", "qwen2",         "qwen2-yarn", "qwen3",
    "gemma3",         "gemma2",         "gemma2-46",     "phi3-short", "phi3-long",
    "phi3-q8_0",      "gpt2",           "gpt2-q4_0",     "qwen3moe",   "qwen3moe-q4_0",
    "qwen3moe-mxfp4", "gpt-oss",        "gpt-oss-mxfp4", "starcoder2"};

std::string decoder_path(const std::string& name, const std::string& ending) {
  return std::string(kSourceDir) + "/tests/data/decoders/" + name + ending;
}

PeerStory peer_of(const std::string& name, std::size_t prompt) {
  return read_peer_rows(decoder_path(name, ".npy"), prompt);
}

LanguageModel small_pages(const std::string& name, std::shared_ptr<Runtime> runtime,
                          KvType kv_type) {
  ArchOptions arch;
  arch.kv_type = kv_type;
  arch.page_size = 4;
  arch.tokens_max = 16;
  return load_language_model(decoder_path(name, ".gguf"), std::move(runtime), arch);
}

void check_decoder_file(const std::string& name, std::shared_ptr<Runtime> runtime, KvType kv_type,
                        std::size_t prompt) {
  const LanguageModel model = small_pages(name, std::move(runtime), kv_type);
  TestBatcher test = make_batcher(model);
  const PeerStory story = peer_of(name, prompt);
  const Generated got = generate_forced(*test.batcher, story.prompt_ids, story.ids);
  const PeerError error = compare_with_peer(story, got);
  MESSAGE(name << ", " << kv_type_name(kv_type) << " cache: logits off by " << error.relative_max
               << " of the largest, KL " << error.kl_mean << ", over " << error.steps << " tokens");
  CHECK(error.steps == story.ids.size());
  CHECK(error.step_relative_max <= 1e-2);
  CHECK(error.kl_mean <= 1e-3);
  CHECK(error.wrong_argmax == 0);
}

}  // namespace

TEST_CASE("decoders of random weights give llama.cpp's logits") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kDecoders) {
      CAPTURE(name);
      check_decoder_file(name, runtime, KvType::kF16, 1);
      // Prompts of more tokens than a step takes, over windows and pages.
      check_decoder_file(name, runtime, KvType::kF32, 29);
    }
  }
}

TEST_CASE("a prefix is shared as long as the windows hold it") {
  for (const int steps : {1, 3, 10}) {
    CAPTURE(steps);
    const LanguageModel model = small_pages("gemma3", make_runtime({"cpu"}), KvType::kF32);
    TestBatcher test = make_batcher(model, 64);
    const PeerStory story = peer_of("gemma3", 29);
    GenerateRequest request;
    request.prompt = story.prompt_ids;
    request.forced = story.ids;
    request.max_new_tokens = static_cast<std::int64_t>(story.ids.size());
    std::vector<Generated> got;
    REQUIRE(test.batcher->add(request));
    for (int i = 0; i < steps; ++i) {
      auto events = test.batcher->step();
      REQUIRE(events);
      collect(*events, got);
    }
    REQUIRE(test.batcher->add(request));
    while (!test.batcher->idle()) {
      auto events = test.batcher->step();
      REQUIRE_MESSAGE(events, events.error().message());
      collect(*events, got);
    }
    // Of the 28 tokens that a prompt may share: those there are, all, and none once the window has
    // moved on.
    CHECK(test.batcher->shared_tokens() == (steps == 1 ? 16 : steps == 3 ? 28 : 0));
    for (const Generated& each : got) {
      CHECK(compare_with_peer(story, each).step_relative_max <= 1e-2);
    }
    for (std::size_t g = 0; g < 2; ++g) CHECK(test.pool->free_pages(g) == 64);
  }
}

}  // namespace polaris
