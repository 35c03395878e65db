// Decoders of ONNX files that have their past as inputs, over the paged cache, against onnxruntime
// on the same files (tests/data/make_onnx_decoders.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "support/generation.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/session_run.h"
#include "tensor/element.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;

constexpr const char* kDecoders[] = {"llama-packed", "llama-zeros", "qwen2",
                                     "windows",      "gpt2-heads",  "gpt2-attention"};
constexpr std::size_t kPrompt = 7;

std::string path_of(const std::string& name, const std::string& file) {
  return std::string(kSourceDir) + "/tests/data/onnx_decoders/" + name + "/" + file;
}

/// The peer's logits from `prompt` ids on.
PeerStory peer_of(const std::string& name, std::size_t prompt = kPrompt) {
  const auto ids = load_npy(path_of(name, "ids.npy"));
  const auto rows = load_npy(path_of(name, "logits.npy"));
  REQUIRE(ids);
  REQUIRE(rows);
  PeerStory out;
  const auto width = static_cast<std::size_t>(rows->shape()[1]);
  const auto id_at = [&](std::size_t i) {
    return static_cast<TokenId>(element_as_f64(*ids, static_cast<std::int64_t>(i)));
  };
  for (std::size_t i = 0; i < prompt; ++i) out.prompt_ids.push_back(id_at(i));
  for (std::size_t at = prompt; at < static_cast<std::size_t>(ids->elements()); ++at) {
    const auto logit = [&](TokenId token) {
      return element_as_f64(*rows, static_cast<std::int64_t>((at - kPrompt) * width) + token);
    };
    std::vector<TokenId> order(width);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](TokenId a, TokenId b) { return logit(a) > logit(b); });
    std::vector<double>& sorted = out.top_logits.emplace_back();
    double total = 0;
    for (const TokenId token : order) {
      sorted.push_back(logit(token));
      total += std::exp(sorted.back() - sorted.front());
    }
    out.log_totals.push_back(std::log(total));
    out.margins.push_back(sorted[0] - sorted[1]);
    out.top_ids.push_back(std::move(order));
    out.ids.push_back(id_at(at));
  }
  return out;
}

ArchOptions small_pages(KvType kv_type) {
  ArchOptions arch;
  arch.kv_type = kv_type;
  arch.page_size = 4;
  arch.tokens_max = 16;
  arch.generate = true;
  return arch;
}

LanguageModel load_decoder(const std::string& name, std::shared_ptr<Runtime> runtime,
                           KvType kv_type) {
  LoadOptions options;
  options.arch = small_pages(kv_type);
  auto model = load_model(path_of(name, "model.onnx"), runtime->ops(), options);
  REQUIRE_MESSAGE(model, model.error().message());
  auto out = LanguageModel::without_tokenizer(std::move(runtime), *model);
  REQUIRE_MESSAGE(out, out.error().message());
  return out.take();
}

GenerateRequest request_of(const PeerStory& story, bool forced) {
  GenerateRequest out;
  out.prompt = story.prompt_ids;
  out.max_new_tokens = static_cast<std::int64_t>(story.ids.size());
  out.sampler.temperature = 0;
  if (forced) out.forced = story.ids;
  return out;
}

void check_near(const PeerStory& story, const Generated& got, double bound) {
  const PeerError error = compare_with_peer(story, got);
  CHECK(error.steps == story.ids.size());
  CHECK(error.step_relative_max <= bound);
  CHECK(error.kl_mean <= 1e-3);
  CHECK(error.wrong_argmax == 0);
}

}  // namespace

TEST_CASE("decoders of ONNX files give onnxruntime's tokens and logits") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : kDecoders) {
      CAPTURE(name);
      const PeerStory story = peer_of(name);
      const LanguageModel model = load_decoder(name, runtime, KvType::kF32);
      CHECK(model.vocabulary == 272);
      TestBatcher test = make_batcher(model);
      const Generated forced = generate_forced(*test.batcher, story.prompt_ids, story.ids);
      MESSAGE(device << " " << name << ": logits off by "
                     << compare_with_peer(story, forced).step_relative_max << " of the largest");
      check_near(story, forced, 1e-3);
      CHECK(generate(*test.batcher, request_of(story, false)).ids == story.ids);
    }
  }
}

TEST_CASE("a cache of float16 changes little of what an ONNX decoder says") {
  for (const std::string name : kDecoders) {
    CAPTURE(name);
    const PeerStory story = peer_of(name);
    TestBatcher test = make_batcher(load_decoder(name, make_runtime({"cpu"}), KvType::kF16));
    check_near(story, generate_forced(*test.batcher, story.prompt_ids, story.ids), 1e-2);
  }
}

TEST_CASE("several sequences of an ONNX decoder share a batch, and the prefix of their prompts") {
  for (const std::string device : {"cpu", "vulkan"}) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    for (const std::string name : {"llama-packed", "gpt2-heads"}) {
      CAPTURE(name);
      const LanguageModel model = load_decoder(name, runtime, KvType::kF32);
      TestBatcher test = make_batcher(model, 64);
      std::vector<PeerStory> stories;
      std::vector<Generated> got;
      for (const std::size_t prompt : {7u, 31u, 12u, 31u}) {
        stories.push_back(peer_of(name, prompt));
        REQUIRE(test.batcher->add(request_of(stories.back(), true)));
        for (int i = 0; i < 3; ++i) {
          auto events = test.batcher->step();
          REQUIRE_MESSAGE(events, events.error().message());
          collect(*events, got);
        }
      }
      while (!test.batcher->idle()) {
        auto events = test.batcher->step();
        REQUIRE_MESSAGE(events, events.error().message());
        collect(*events, got);
      }
      REQUIRE(got.size() == stories.size());
      for (std::size_t i = 0; i < got.size(); ++i) check_near(stories[i], got[i], 1e-3);
      CHECK(test.batcher->shared_tokens() > 0);
      CHECK(test.pool->free_pages(0) == 64);
    }
  }
}

TEST_CASE("lengths of a GroupQueryAttention that cannot be are errors of the run") {
  struct Row {
    std::int32_t ends[2];  // seqlens_k: a length less 1
    std::int32_t total;
    bool right = false;
  };
  constexpr std::int32_t kHuge = INT32_MAX;
  // One token behind 6 of each of two rows, 16 positions in the tables.
  const Row rows[] = {{{6, 6}, 7, true},
                      {{6, 3}, 7, true},
                      {{7, 6}, 7},
                      {{-2, 6}, 7},
                      {{6, kHuge}, 7},
                      {{6, 6}, kHuge, true},
                      {{kHuge, kHuge}, kHuge},
                      {{INT32_MIN, 6}, 7},
                      {{6, 6}, -1},
                      {{20, 20}, 21},
                      {{6, 6}, INT32_MIN}};
  const std::string path =
      std::string(kSourceDir) + "/tests/data/microsoft/test_gqa_step/model.onnx";
  for (const std::string device : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime(device == "vulkan" ? std::vector<std::string>{"vulkan", "cpu"}
                                                   : std::vector<std::string>{device});
    if (!runtime) continue;
    CAPTURE(device);
    auto model = load_model(path, runtime->ops());
    REQUIRE(model);
    auto program = Program::compile(runtime, std::move(*model->find("main")));
    REQUIRE_MESSAGE(program, program.error().message());
    auto session = Session::create(*program);
    REQUIRE(session);
    for (const Row& row : rows) {
      CAPTURE(row.ends[0]);
      CAPTURE(row.ends[1]);
      CAPTURE(row.total);
      std::vector<Tensor> inputs;
      for (const Shape& shape : {Shape{2, 1, 64}, Shape{2, 1, 32}, Shape{2, 1, 32},
                                 Shape{2, 2, 6, 16}, Shape{2, 2, 6, 16}}) {
        inputs.push_back(Tensor::allocate(DType::kF32, shape).take());
      }
      inputs.push_back(Tensor::from<std::int32_t>(DType::kI32, Shape{2}, row.ends).take());
      inputs.push_back(Tensor::from<std::int32_t>(DType::kI32, Shape{}, {&row.total, 1}).take());
      std::vector<Tensor> got;
      const Status ran = (*session)->run(inputs, got);
      INFO((ran ? std::string() : ran.error().message()));
      CHECK(ran.ok() == row.right);
    }
  }
}

TEST_CASE("generate runs an ONNX decoder with the tokenizer and the ends of its folder") {
  const PeerStory story = peer_of("llama-packed");
  TemporaryFolder folder;
  nlohmann::json ids = story.prompt_ids;
  REQUIRE(write_file(folder.file("ids.json"), ids.dump()));
  const ProcessResult by_ids =
      run_polaris({"generate", path_of("llama-packed", "model.onnx"), "--ids-file",
                   folder.file("ids.json"), "-n", "40", "--temperature", "0", "--kv-type", "f32",
                   "--ignore-eos", "--device", "cpu", "--json"});
  CAPTURE(by_ids.err);
  REQUIRE(by_ids.exit_code == 0);
  const auto lines = split(by_ids.out, '\n');
  const auto last = nlohmann::json::parse(lines[lines.size() - (lines.back().empty() ? 2 : 1)]);
  CHECK(last["ids"].get<std::vector<TokenId>>() == story.ids);
  // The chat template of tokenizer_config.json goes around the prompt: "x" and ">".
  const ProcessResult chat =
      run_polaris({"generate", path_of("llama-packed", "model.onnx"), "-p", "x", "-n", "1",
                   "--temperature", "0", "--device", "cpu", "--json"});
  CAPTURE(chat.err);
  REQUIRE(chat.exit_code == 0);
  CHECK(chat.out.find("\"prompt_tokens\":2") != std::string::npos);
}

}  // namespace polaris
