// Real models in Q4_K_M against llama.cpp in float32 on the same dequantized weights, as
// ../shared/models/reference has it. POLARIS_MODELS names the folder in which the shared
// get_models.py has laid them out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/os/files.h"
#include "support/generation.h"
#include "support/peer_story.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/skip.h"

namespace polaris {
namespace {

using namespace test;

/// Steps hold log-probabilities of the likeliest tokens and one logit: the others follow.
PeerStory read_generation(const nlohmann::json& json, std::size_t ids_max) {
  PeerStory out;
  out.prompt_ids = json.at("prompt_ids").get<std::vector<TokenId>>();
  for (const auto& step : json.at("steps")) {
    if (out.ids.size() == ids_max) break;
    const auto id = step.at("id").get<TokenId>();
    const auto top = step.at("top20_logprobs").get<std::vector<std::pair<TokenId, double>>>();
    const auto at = std::ranges::find(top, id, &std::pair<TokenId, double>::first);
    REQUIRE(at != top.end());
    const double total = step.at("logit").get<double>() - at->second;
    out.ids.push_back(id);
    out.margins.push_back(top[0].second - top[1].second);
    out.log_totals.push_back(-top[0].second);
    std::vector<TokenId>& ids = out.top_ids.emplace_back();
    std::vector<double>& logits = out.top_logits.emplace_back();
    for (const auto& [token, log_probability] : top) {
      ids.push_back(token);
      logits.push_back(log_probability + total);
    }
  }
  return out;
}

struct RealModel {
  std::string file;
  std::string reference;
};
const RealModel kModels[] = {
    {"qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "qwen2.5-coder-0.5b"},
    {"gemma3-270m/gemma-3-270m-q4_k_m.gguf", "gemma3-270m-q4_k_m"},
};

/// Forces `generations` of the reference's texts, `ids_max` tokens of each, on a device.
void check_model(const RealModel& model, const std::string& device, std::size_t generations,
                 std::size_t ids_max) {
  const char* folder = std::getenv("POLARIS_MODELS");
  if (folder == nullptr) return skip("POLARIS_MODELS is not set");
  const std::string path = std::string(folder) + "/" + model.file;
  if (path_kind(path) == PathKind::kMissing) return skip(path + " is not there");
  const auto reference = shared_file("models/reference/" + model.reference + ".f32.json");
  if (!reference) return;
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const auto text = read_file(*reference, 1 << 26);
  REQUIRE(text.ok());
  const nlohmann::json all = nlohmann::json::parse(*text).at("generation");
  ArchOptions arch;
  arch.kv_type = KvType::kF32;
  arch.context_max = 1024;
  const LanguageModel loaded = load_language_model(path, std::move(runtime), arch);
  TestBatcher test = make_batcher(loaded);
  double worst = 0;
  double kl = 0;
  std::size_t count = 0;
  for (const auto& each : all) {
    if (count == generations) break;
    ++count;
    const PeerStory story = read_generation(each, ids_max);
    INFO(model.reference, " on ", device, ": ", each.at("name").get<std::string>());
    const Generated got = generate_forced(*test.batcher, story.prompt_ids, story.ids);
    const PeerError error = compare_with_peer(story, got);
    CHECK(error.steps == story.ids.size());
    CHECK(error.step_relative_max <= 1e-2);
    CHECK(error.kl_mean <= 1e-3);
    CHECK(error.wrong_argmax == 0);
    worst = std::max(worst, error.step_relative_max);
    kl = std::max(kl, error.kl_mean);
  }
  MESSAGE(model.reference << " on " << device << ", " << count << " texts: logits off by " << worst
                          << " of a step's largest at most, KL " << kl);
}

}  // namespace

TEST_CASE("real models in Q4_K_M give llama.cpp's float logits on the cpu") {
  for (const RealModel& model : kModels) check_model(model, "cpu", 100, 1000);
}

TEST_CASE("real models in Q4_K_M give llama.cpp's float logits on a rasterizer") {
  for (const RealModel& model : kModels) check_model(model, "vulkan", 1, 12);
}

}  // namespace polaris
