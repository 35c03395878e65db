// stories260K, a model that others trained, against the text llama.cpp made of the same files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/generation.h"
#include "support/peer_story.h"
#include "support/rounded_activations.h"
#include "support/session_run.h"
#include "support/shared_files.h"

namespace polaris {
namespace {

using namespace test;

struct StoredText {
  std::vector<TokenId> first_ids;  // of prompt and text, without BOS
  std::string text;
};

/// `tokens a,b,...`, the text, then a line `tok(...)`.
StoredText read_stored(const std::string& path) {
  auto file = read_file(path, 1 << 20);
  REQUIRE(file);
  const std::size_t first_end = file->find('\n');
  const std::size_t last = file->rfind("\ntok(");
  REQUIRE(first_end != std::string::npos);
  REQUIRE(last != std::string::npos);
  StoredText out;
  for (std::string_view id : split(std::string_view(*file).substr(7, first_end - 7), ',')) {
    out.first_ids.push_back(static_cast<TokenId>(parse_i64(id).value_or(-1)));
  }
  out.text = file->substr(first_end + 1, last - first_end - 1);
  return out;
}

std::string stories260k(const std::string& storage, const std::string& ending) {
  return "models/gguf/stories260K/stories260K-" + storage + ending;
}

constexpr const char* kPrompt = "Once upon a time";
constexpr std::int64_t kTokensMax = 400;

std::vector<TokenId> with_prompt(const LanguageModel& model, const std::vector<TokenId>& ids) {
  std::vector<TokenId> all = model.tokenizer->encode(kPrompt).take();
  all.insert(all.end(), ids.begin(), ids.end());
  return all;
}

/// Free-running, until our text is as long as the stored one.
Generated run_free(const LanguageModel& model, const StoredText& stored) {
  TestBatcher test = make_batcher(model);
  REQUIRE(test.batcher->add(greedy_request(model, kPrompt, kTokensMax)));
  std::vector<Generated> got(1);
  std::size_t bytes = 0;
  while (!test.batcher->idle() && bytes < stored.text.size()) {
    auto events = test.batcher->step();
    REQUIRE_MESSAGE(events.ok(), events.error().message());
    collect(*events, got);
    bytes = model.tokenizer->decode(with_prompt(model, got[0].ids)).size();
  }
  CHECK(bytes >= stored.text.size());
  return got[0];
}

/// New tokens whose text agrees with the stored one.
std::size_t agreeing(const LanguageModel& model, const std::vector<TokenId>& ids,
                     const std::string& stored) {
  std::size_t count = 0;
  for (; count < ids.size(); ++count) {
    const std::vector<TokenId> head(ids.begin(),
                                    ids.begin() + static_cast<std::ptrdiff_t>(count) + 1);
    const std::string text = model.tokenizer->decode(with_prompt(model, head));
    const std::size_t length = std::min(text.size(), stored.size());
    if (text.compare(0, length, stored, 0, length) != 0) break;
    if (text.size() >= stored.size()) return ids.size();
  }
  return count;
}

double top_margin(const std::vector<float>& logits) {
  const auto best = static_cast<std::size_t>(argmax(logits));
  float second = -INFINITY;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (i != best) second = std::max(second, logits[i]);
  }
  return static_cast<double>(logits[best] - second);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    out = std::max(out, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return out;
}

void check_text(const std::string& device, const std::string& storage) {
  const auto path = shared_file(stories260k(storage, ".gguf"));
  const auto text_path = shared_file(stories260k(storage, ".llamacpp-greedy.txt"));
  if (!path || !text_path) return;
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const StoredText stored = read_stored(*text_path);
  const LanguageModel model = load_language_model(*path, runtime);
  const Generated got = run_free(model, stored);
  const std::vector<TokenId> all = with_prompt(model, got.ids);
  const std::size_t agreed = agreeing(model, got.ids, stored.text);
  if (agreed == got.ids.size()) {
    CHECK(model.tokenizer->decode(all).compare(0, stored.text.size(), stored.text) == 0);
    CHECK(std::equal(stored.first_ids.begin(), stored.first_ids.end(), all.begin() + 1));
    return;
  }
  REQUIRE(storage != "f32");
  // They may part only where the two likeliest tokens are nearer than the peer's rounding of
  // activations moves logits, as the reference measures it along the same text.
  std::vector<TokenId> shared_ids(got.ids.begin(),
                                  got.ids.begin() + static_cast<std::ptrdiff_t>(agreed) + 1);
  auto reference = make_runtime({"reference"});
  Generated runs[2];
  for (const bool rounded : {false, true}) {
    const LanguageModel again =
        load_language_model(*path, reference, {}, rounded ? round_activations_to_q8_0 : nullptr);
    TestBatcher test = make_batcher(again);
    runs[rounded ? 1 : 0] =
        generate_forced(*test.batcher, again.tokenizer->encode(kPrompt).take(), shared_ids);
  }
  double error = 0;
  for (std::size_t s = 0; s < runs[0].logits.size(); ++s) {
    error = std::max(error, largest_difference(runs[0].logits[s], runs[1].logits[s]));
  }
  const double margin = top_margin(got.logits[agreed]);
  MESSAGE(device << " " << storage << ": parts after " << agreed << " new tokens at a margin of "
                 << margin << "; rounding moves logits by " << error);
  CHECK(margin <= 2 * error);
}

TEST_CASE("stories260K f32 gives llama.cpp's text") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) {
    CAPTURE(device);
    check_text(device, "f32");
  }
}
TEST_CASE("stories260K q8_0 gives llama.cpp's text, but for near ties") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) check_text(device, "q8_0");
}
TEST_CASE("stories260K q4_0 gives llama.cpp's text, but for near ties") {
  for (const std::string device : {"reference", "cpu", "vulkan"}) check_text(device, "q4_0");
}

}  // namespace
}  // namespace polaris
