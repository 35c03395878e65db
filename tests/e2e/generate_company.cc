// What neighbours, cancels and the sizes of steps may change in a text's logits: within a bucket
// not a bit, across buckets what the margin rule allows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/generation.h"
#include "support/process.h"
#include "support/session_run.h"
#include "support/split_case.h"

namespace polaris {
namespace {

using namespace test;

constexpr std::int64_t kPage = 4;

/// The project's model, or one of made-up weights in a format of blocks of 256, which its rows are
/// too short for.
LanguageModel open_model(std::shared_ptr<Runtime> runtime, const std::string& storage) {
  ArchOptions arch;
  arch.page_size = kPage;
  if (storage != "q4_k" && storage != "q6_k") {
    return load_language_model(stories_path(storage), std::move(runtime), arch);
  }
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.weight_type = storage == "q4_k" ? 12 : 14;
  sizes.width = 256;
  sizes.feed_forward = 512;
  sizes.context = 256;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  const std::vector<std::byte> file = builder.file();
  const std::string path = folder.file("tiny.gguf");
  REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
  return load_language_model(path, std::move(runtime), arch);
}

GenerateRequest request_of(const LanguageModel& model, std::int64_t prompt, std::int64_t tokens,
                           int seed) {
  GenerateRequest out;
  out.prompt = made_up_prompt(prompt, seed);
  for (TokenId& token : out.prompt) token %= static_cast<TokenId>(model.vocabulary);
  out.max_new_tokens = tokens;
  out.sampler.temperature = 0;
  return out;
}

void check_equal_bits(const Generated& got, const Generated& alone) {
  CHECK(got.ids == alone.ids);
  REQUIRE(got.logits.size() == alone.logits.size());
  std::size_t different = 0;
  for (std::size_t s = 0; s < got.logits.size(); ++s) {
    const std::size_t bytes = got.logits[s].size() * sizeof(float);
    if (std::memcmp(got.logits[s].data(), alone.logits[s].data(), bytes) != 0) ++different;
  }
  CHECK(different == 0);
}

BatcherOptions one_bucket(std::int64_t tokens) {
  BatcherOptions options;
  options.tokens_per_step = options.bucket_min = tokens;
  options.share_prefixes = false;
  return options;
}

/// Two texts beside one that is cancelled behind so many steps.
class CancelCase {
 public:
  CancelCase(const std::string& device, const std::string& storage)
      : runtime_(make_runtime({device})) {
    if (!runtime_) return;
    model_ = open_model(runtime_, storage);
    for (const GenerateRequest& request : neighbours()) {
      TestBatcher test = make_batcher(model_, 0, one_bucket(kBucket));
      alone_.push_back(generate(*test.batcher, request));
    }
  }
  bool here() const { return runtime_ != nullptr; }

  /// False once the victim is over before. `midway`: one step is cancelled in its run first.
  bool cancel_behind(int steps, bool midway) {
    TestBatcher test = make_batcher(model_, 200, one_bucket(kBucket));
    Batcher& batcher = *test.batcher;
    std::vector<Generated> got;
    const auto requests = neighbours();
    REQUIRE(batcher.add(requests[0]));
    REQUIRE(batcher.add(requests[1]));
    step(batcher, got);  // both are through with their prompts: they decode from here on
    REQUIRE(got.size() == 2);
    const auto victim = batcher.add(request_of(model_, 50, 6, 3));
    REQUIRE(victim);
    for (int i = 0; i < steps; ++i) step(batcher, got);
    if (midway) {
      CancelToken token;
      token.cancel();
      RunOptions options;
      options.cancel = &token;
      const auto cut = batcher.step(options);
      REQUIRE_FALSE(cut.ok());
      CHECK(cut.error().code() == ErrorCode::kCancelled);
    }
    const bool running = batcher.cancel(*victim);
    CHECK_FALSE(batcher.cancel(*victim));
    if (!midway) CHECK(used(test) == held(requests, got));
    const std::size_t brought = got.size() > 2 ? got[2].ids.size() : 0;
    step(batcher, got);
    CHECK(used(test) == held(requests, got));
    while (!batcher.idle()) step(batcher, got);
    CHECK(test.pool->free_pages() == test.pool->page_count());
    for (std::size_t i = 0; i < 2; ++i) check_equal_bits(got[i], alone_[i]);
    if (got.size() > 2) CHECK(got[2].ids.size() == brought);
    return running;
  }

 private:
  static constexpr std::int64_t kBucket = 16;

  std::vector<GenerateRequest> neighbours() const {
    return {request_of(model_, 6, 24, 1), request_of(model_, 9, 20, 2)};
  }
  static void step(Batcher& batcher, std::vector<Generated>& got) {
    auto events = batcher.step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
  }
  static std::int64_t used(const TestBatcher& test) {
    return test.pool->page_count() - test.pool->free_pages();
  }
  /// Pages of the neighbours: all but their last tokens are in the cache.
  static std::int64_t held(const std::vector<GenerateRequest>& requests,
                           const std::vector<Generated>& got) {
    std::int64_t out = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      if (got[i].finish != FinishReason::kNone) continue;
      const auto tokens =
          static_cast<std::int64_t>(requests[i].prompt.size() + got[i].ids.size() - 1);
      out += (tokens + kPage - 1) / kPage;
    }
    return out;
  }

  std::shared_ptr<Runtime> runtime_;
  LanguageModel model_;
  std::vector<Generated> alone_;
};

/// Every `stride`-th step of a text's life, waiting, within its prompt and decoding.
void check_cancel(const std::string& device, const std::string& storage, int stride) {
  CancelCase test(device, storage);
  if (!test.here()) return;
  int cancelled = 0;
  for (int steps = 0; test.cancel_behind(steps, steps % 3 == 2); steps += stride) {
    CAPTURE(steps);
    ++cancelled;
    REQUIRE(steps < 100);
  }
  CHECK(cancelled >= 8 / stride);
}

TEST_CASE("a cancel at any step frees pages at once and leaves neighbours' bits: cpu") {
  for (const char* storage : {"f32", "q8_0", "q4_0", "q4_k"}) {
    CAPTURE(storage);
    check_cancel("cpu", storage, 1);
  }
}
TEST_CASE("a cancel at any step frees pages at once and leaves neighbours' bits: reference") {
  check_cancel("reference", "q8_0", 8);
}
TEST_CASE("a cancel at any step frees pages at once and leaves neighbours' bits: vulkan") {
  check_cancel("vulkan", "q8_0", 5);
}

/// A text among so many others, in steps of one size: the bits it has alone in such steps.
void check_neighbours(const std::string& device, const std::string& storage) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const LanguageModel model = open_model(runtime, storage);
  const GenerateRequest request = request_of(model, 21, 12, 7);
  for (const std::int64_t bucket : {8, 32}) {
    CAPTURE(bucket);
    TestBatcher lonely = make_batcher(model, 0, one_bucket(bucket));
    const Generated alone = generate(*lonely.batcher, request);
    for (const int others : {1, 3, 7}) {
      CAPTURE(others);
      TestBatcher test = make_batcher(model, 400, one_bucket(bucket));
      std::vector<Generated> got;
      REQUIRE(test.batcher->add(request));
      for (int i = 0; i < others; ++i) {
        REQUIRE(test.batcher->add(request_of(model, 3 + 17 * i, 5 + i, 20 + i)));
      }
      while (!test.batcher->idle()) {
        auto events = test.batcher->step();
        REQUIRE_MESSAGE(events.ok(), events.error().message());
        collect(*events, got);
      }
      check_equal_bits(got[0], alone);
    }
  }
}

TEST_CASE("within a bucket a text has the bits of itself alone, whatever runs beside it: cpu") {
  for (const char* storage : {"f32", "q8_0", "q4_0", "q4_k", "q6_k"}) {
    CAPTURE(storage);
    check_neighbours("cpu", storage);
  }
}
TEST_CASE("within a bucket a text has the bits of itself alone: vulkan") {
  check_neighbours("vulkan", "q4_k");
}

/// The same text in steps of other sizes, by chunks and beside others, along its own tokens.
void check_sizes(const std::string& device, const std::string& storage) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const LanguageModel model = open_model(runtime, storage);
  GenerateRequest request = request_of(model, 70, 16, 11);
  TestBatcher lonely = make_batcher(model);
  const Generated want = generate(*lonely.batcher, request);
  request.forced = want.ids;
  struct Sizes {
    std::int64_t chunk;
    std::int64_t bucket;
    int others;
  };
  double worst = 0;
  for (const Sizes& sizes : {Sizes{1, 1, 0}, Sizes{5, 1, 0}, Sizes{16, 16, 3}, Sizes{64, 64, 1},
                             Sizes{512, 1, 7}, Sizes{32, 2, 12}}) {
    CAPTURE(sizes.chunk);
    CAPTURE(sizes.others);
    BatcherOptions options;
    options.tokens_per_step = sizes.chunk;
    options.bucket_min = sizes.bucket;
    TestBatcher test = make_batcher(model, 600, options);
    std::vector<Generated> got;
    REQUIRE(test.batcher->add(request));
    for (int i = 0; i < sizes.others; ++i) {
      REQUIRE(test.batcher->add(request_of(model, 2 + 5 * i, 20, 30 + i)));
    }
    while (!test.batcher->idle()) {
      auto events = test.batcher->step();
      REQUIRE_MESSAGE(events.ok(), events.error().message());
      collect(*events, got);
    }
    const LogitsError error = compare_logits(got[0], want);
    worst = std::max(worst, error.relative_max);
    CHECK(error.relative_max <= 1e-2);
    CHECK(error.kl_mean <= 1e-3);
    CHECK(error.wrong_argmax == 0);
  }
  MESSAGE(device << " " << storage << ": across buckets logits within " << worst
                 << " of a step's largest");
}

TEST_CASE("across buckets a text keeps to the margin rule: cpu") {
  for (const char* storage : {"f32", "q8_0", "q4_0", "q4_k", "q6_k"}) check_sizes("cpu", storage);
}
TEST_CASE("across buckets a text keeps to the margin rule: vulkan") {
  check_sizes("vulkan", "q4_k");
}

}  // namespace
}  // namespace polaris
