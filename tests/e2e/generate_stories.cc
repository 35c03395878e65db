// The project's own model against what llama.cpp said of the same files (models/stories/README.md).
#include <doctest/doctest.h>

#include <string>

#include "support/generation.h"
#include "support/peer_story.h"
#include "support/rounded_activations.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

void check_error(const std::string& what, const PeerError& error) {
  MESSAGE(what << ": logits within " << error.relative_max << " of the largest ("
               << error.step_relative_max << " of each step's), KL " << error.kl_mean << ", over "
               << error.steps << " steps");
  CHECK(error.relative_max <= 1e-2);
  CHECK(error.wrong_argmax == 0);
  CHECK(error.kl_mean <= 1e-3);
}

/// Free-running greedy text of an f32 file equals the peer's, and so do the logits.
void check_f32(const std::string& device, std::size_t stories) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const LanguageModel model = load_language_model(stories_path("f32"), runtime);
  TestBatcher test = make_batcher(model);
  const auto peers = read_peer_stories("f32");
  for (std::size_t p = 0; p < stories; ++p) {
    const PeerStory& peer = peers[p];
    CAPTURE(peer.prompt);
    GenerateRequest request = greedy_request(model, peer.prompt, 512);
    if (!peer.prompt_ids.empty()) CHECK(request.prompt == peer.prompt_ids);
    const Generated got = generate(*test.batcher, request);
    CHECK(got.ids == peer.ids);
    CHECK(got.finish == FinishReason::kEnd);
    std::vector<TokenId> all = request.prompt;
    all.insert(all.end(), got.ids.begin(), got.ids.end());
    CHECK(model.tokenizer->decode(all) == peer.text);
    if (peer.top_ids.empty() || got.ids != peer.ids) continue;
    check_error(device + " f32", compare_with_peer(peer, got));
  }
}

/// A quantized file by the margin rule, forced along the peer's tokens.
void check_quantized(const std::string& device, const std::string& storage) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const LanguageModel model = load_language_model(stories_path(storage), runtime);
  TestBatcher test = make_batcher(model);
  const PeerStory peer = read_peer_stories(storage)[0];
  const Generated forced = generate_forced(*test.batcher, peer.prompt_ids, peer.ids);
  check_error(device + " " + storage, compare_with_peer(peer, forced));
}

/// llama.cpp rounds activations to q8_0 before it multiplies; we keep 15 bits or all. That rounding
/// alone moves the reference's logits about as far as we are from llama.cpp, so the rest of the
/// distance is small. (Rounding as it does brings us no nearer: last bits upstream flip roundings.)
void check_rounding(const std::string& storage) {
  auto runtime = make_runtime({"reference"});
  const PeerStory peer = read_peer_stories(storage)[0];
  Generated runs[2];
  for (const bool rounded : {false, true}) {
    const LanguageModel model = load_language_model(stories_path(storage), runtime, {},
                                                    rounded ? round_activations_to_q8_0 : nullptr);
    TestBatcher test = make_batcher(model);
    runs[rounded ? 1 : 0] = generate_forced(*test.batcher, peer.prompt_ids, peer.ids);
  }
  const double distance = compare_with_peer(peer, runs[0]).step_relative_max;
  PeerStory rounded = peer;  // the peer's likeliest tokens, our rounded logits
  for (std::size_t s = 0; s < rounded.ids.size(); ++s) {
    for (std::size_t t = 0; t < rounded.top_ids[s].size(); ++t) {
      rounded.top_logits[s][t] =
          static_cast<double>(runs[1].logits[s][static_cast<std::size_t>(rounded.top_ids[s][t])]);
    }
  }
  const double rounding = compare_with_peer(rounded, runs[0]).step_relative_max;
  MESSAGE(storage << ": to llama.cpp " << distance << " of each step's largest, by rounding alone "
                  << rounding);
  CHECK(distance <= 1.5 * rounding);
}

TEST_CASE("stories f32 on the reference gives llama.cpp's text") { check_f32("reference", 1); }
TEST_CASE("stories f32 on the cpu gives llama.cpp's texts") { check_f32("cpu", 4); }
TEST_CASE("stories f32 on vulkan gives llama.cpp's text") { check_f32("vulkan", 1); }

TEST_CASE("stories q8_0 on the reference follows llama.cpp") {
  check_quantized("reference", "q8_0");
}
TEST_CASE("stories q8_0 on the cpu follows llama.cpp") { check_quantized("cpu", "q8_0"); }
TEST_CASE("stories q8_0 on vulkan follows llama.cpp") { check_quantized("vulkan", "q8_0"); }

TEST_CASE("stories q4_0 on the reference follows llama.cpp") {
  check_quantized("reference", "q4_0");
}
TEST_CASE("stories q4_0 on the cpu follows llama.cpp") { check_quantized("cpu", "q4_0"); }
TEST_CASE("stories q4_0 on vulkan follows llama.cpp") { check_quantized("vulkan", "q4_0"); }

TEST_CASE("stories q8_0 is as far from llama.cpp as its rounding of activations") {
  check_rounding("q8_0");
}
TEST_CASE("stories q4_0 is as far from llama.cpp as its rounding of activations") {
  check_rounding("q4_0");
}

}  // namespace
}  // namespace polaris
