// Folders of Hugging Face with random weights against Transformers' float32 run of them
// (tests/data/make_hf.py).
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "pipeline/embedder.h"
#include "pipeline/tokenizer_beside.h"
#include "support/generation.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/session_run.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr const char* kDecoders[] = {"llama", "llama-bf16", "llama-sharded", "mistral",
                                     "qwen2", "qwen3",      "gemma2",        "gemma3",
                                     "phi3",  "phi3-long",  "gpt2",          "starcoder2"};
constexpr const char* kEncoders[] = {"bert", "distilbert", "roberta"};
constexpr const char* kDevices[] = {"reference", "cpu", "vulkan"};

std::string path_of(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/hf/" + name;
}

void check_decoder_folder(const std::string& name, std::shared_ptr<Runtime> runtime, KvType kv_type,
                          std::size_t prompt) {
  ArchOptions arch;
  arch.kv_type = kv_type;
  arch.page_size = 4;
  arch.tokens_max = 16;
  const LanguageModel model = load_language_model(path_of(name), std::move(runtime), arch);
  TestBatcher test = make_batcher(model);
  const PeerStory story = read_peer_rows(path_of(name + ".npy"), prompt);
  const Generated got = generate_forced(*test.batcher, story.prompt_ids, story.ids);
  const PeerError error = compare_with_peer(story, got);
  MESSAGE(name << ", " << kv_type_name(kv_type) << " cache: logits off by " << error.relative_max
               << " of the largest, KL " << error.kl_mean << ", over " << error.steps << " tokens");
  CHECK(error.steps == story.ids.size());
  CHECK(error.step_relative_max <= (kv_type == KvType::kF32 ? 1e-4 : 1e-2));
  CHECK(error.kl_mean <= 1e-3);
  CHECK(error.wrong_argmax == 0);
}

void check_encoder_folder(const std::string& name, std::shared_ptr<Runtime> runtime) {
  LoadOptions options;
  options.arch.embed = true;
  auto model = load_model(path_of(name), runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  const Status beside = read_tokenizer_beside(path_of(name), *model);
  REQUIRE_MESSAGE(beside, beside.error().message());
  auto embedder = Embedder::create(std::move(runtime), *model);
  REQUIRE_MESSAGE(embedder, embedder.error().message());
  CHECK(embedder->tokens_max() == 48);  // of sentence_bert_config.json
  const auto text = read_file(path_of(name + ".json"), 1 << 22);
  REQUIRE_MESSAGE(text.ok(), text.error().message());
  std::vector<std::vector<TokenId>> ids;
  std::vector<float> want;
  for (const Json& row : Json::parse(*text)) {
    auto encoded = embedder->encode(row.at("text").get<std::string>(), false);
    REQUIRE_MESSAGE(encoded, encoded.error().message());
    CHECK(*encoded == row.at("ids").get<std::vector<TokenId>>());
    ids.push_back(encoded.take());
    for (const Json& number : row.at("embedding")) want.push_back(number.get<float>());
  }
  const auto got = embedder->embed(ids);
  REQUIRE_MESSAGE(got, got.error().message());
  std::size_t at = 0;
  double worst = 0;
  for (const std::vector<float>& row : *got) {
    for (const float x : row) {
      worst =
          std::max(worst, std::abs(static_cast<double>(x) - static_cast<double>(want.at(at++))));
    }
  }
  MESSAGE(name << ": numbers off by at most " << worst);
  CHECK(at == want.size());
  CHECK(worst <= 1e-5);
}

}  // namespace

TEST_CASE("decoders of Hugging Face's folders give Transformers' logits") {
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kDecoders) {
      CAPTURE(name);
      check_decoder_folder(name, runtime, KvType::kF16, 1);
      check_decoder_folder(name, runtime, KvType::kF32, 29);
    }
  }
}

TEST_CASE("encoders of Hugging Face's folders give Transformers' rows, pooled") {
  for (const std::string device : kDevices) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kEncoders) {
      CAPTURE(name);
      check_encoder_folder(name, runtime);
    }
  }
}

}  // namespace polaris
