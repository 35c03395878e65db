// How likely texts are, against llama.cpp's figures and our own generation.
#include "pipeline/perplexity.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "support/generation.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/vulkan.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::string text_path() { return std::string(kSourceDir) + "/tests/data/perplexity.txt"; }

ProcessResult eval(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"eval", "perplexity"});
  return run_polaris(std::move(arguments));
}

Scorer make_scorer(std::int64_t tokens_per_step, std::int64_t context = 0) {
  GenerationOptions options;
  options.kv_type = KvType::kF32;
  options.context = context;
  options.batcher.tokens_per_step = tokens_per_step;
  const auto runtime = make_runtime({"cpu"});
  LoadOptions load;
  load.arch = arch_options(options);
  auto model = load_model(stories_path("f32"), runtime->ops(), load);
  if (!model) FAIL(model.error().message());
  auto scorer = Scorer::create(runtime, *model, {}, options);
  if (!scorer) FAIL(scorer.error().message());
  return scorer.take();
}

TEST_CASE("perplexity is llama.cpp's, of the same weights in every scheme") {
  const TemporaryFolder folder;
  const std::string file = folder.file("model.gguf");
  std::size_t rows = 0;
  for (const auto& row : read_table("data/perplexity_expected.tsv")) {
    CAPTURE(row[0]);
    ++rows;
    REQUIRE(run_polaris({"quantize", stories_path("f32"), "-o", file, "--scheme", row[0], "-q"})
                .exit_code == 0);
    const ProcessResult result =
        eval({file, text_path(), "--ctx", row[1], "--device", "cpu", "--json"});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const Json json = Json::parse(result.out);
    const double wanted = *parse_f64(row[3]);
    CHECK(json.at("tokens") == *parse_i64(row[2]));
    CHECK(json.at("perplexity").get<double>() == doctest::Approx(wanted).epsilon(2e-4));
    CHECK(json.at("standard_error").get<double>() ==
          doctest::Approx(*parse_f64(row[4])).epsilon(2e-3));
    CHECK(std::exp(json.at("mean_nll").get<double>()) ==
          doctest::Approx(json.at("perplexity").get<double>()));
    CHECK(json.at("context") == *parse_i64(row[1]));
    CHECK(json.at("chunks") == 11);
    CHECK(json.at("device") == "cpu");
    CHECK(json.at("tokens_per_s").get<double>() > 0);
  }
  CHECK(rows == 17);
}

TEST_CASE("perplexity on Vulkan is the cpu's") {
  const std::string device = test_vulkan_id();
  if (device.empty()) return;
  const auto value = [](const std::string& on) {
    const ProcessResult result =
        eval({stories_path("q4_0"), text_path(), "--ctx", "128", "--chunks", "2", "--kv-type",
              "f32", "--device", on, "--json"});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const Json json = Json::parse(result.out);
    CHECK(json.at("chunks") == 2);
    CHECK(json.at("tokens") == 126);
    return json.at("perplexity").get<double>();
  };
  CHECK(value(device) == doctest::Approx(value("cpu")).epsilon(1e-3));
}

TEST_CASE("scores are what generation's logits say, whatever the steps") {
  const PeerStory peer = read_peer_stories("f32")[0];
  std::vector<TokenId> ids = peer.prompt_ids;
  const auto first = static_cast<std::int64_t>(ids.size());
  ids.insert(ids.end(), peer.ids.begin(), peer.ids.begin() + 40);
  ArchOptions arch;
  arch.kv_type = KvType::kF32;
  const LanguageModel model = load_language_model(stories_path("f32"), make_runtime({"cpu"}), arch);
  TestBatcher batcher = test::make_batcher(model);
  const Generated forced =
      generate_forced(*batcher.batcher, peer.prompt_ids, {peer.ids.begin(), peer.ids.begin() + 40});
  for (const std::int64_t step : {1, 7, 512}) {
    CAPTURE(step);
    Scorer scorer = make_scorer(step);
    const auto scores = scorer.score(ids, first);
    REQUIRE_MESSAGE(scores.ok(), (scores ? "" : scores.error().message()));
    REQUIRE(scores->size() == 40);
    for (std::size_t i = 0; i < 40; ++i) {
      double sum = 0;
      for (const float logit : forced.logits[i]) sum += std::exp(static_cast<double>(logit));
      const double logit = forced.logits[i][static_cast<std::size_t>(peer.ids[i])];
      CHECK((*scores)[i] == doctest::Approx(logit - std::log(sum)).epsilon(1e-4));
    }
    // A part of them is the same, and a second text begins afresh.
    const auto part = scorer.score(ids, first + 30);
    REQUIRE(part.ok());
    REQUIRE(part->size() == 10);
    for (std::size_t i = 0; i < 10; ++i) {
      CHECK((*part)[i] == doctest::Approx((*scores)[30 + i]).epsilon(1e-4));
    }
  }
}

TEST_CASE("what cannot be scored is named") {
  Scorer scorer = make_scorer(16, 32);
  const auto error_of = [&](const std::vector<TokenId>& ids, std::int64_t first) {
    const auto scores = scorer.score(ids, first);
    return scores ? std::string() : scores.error().message();
  };
  CHECK(error_of({1, 5, 6}, 0) == "[score] first id to score, got 0, wanted 1 to 3");
  CHECK(error_of({1, 5, 6}, 4).find("got 4, wanted 1 to 3") != std::string::npos);
  CHECK(error_of({1, 1536}, 1) == "[score] id, got 1536, wanted 0 to 1535");
  CHECK(error_of({1, -1}, 1).find("got -1") != std::string::npos);
  CHECK(error_of(std::vector<TokenId>(33, 5), 1).find("got 33, wanted at most 32") !=
        std::string::npos);
  CHECK(error_of(std::vector<TokenId>(32, 5), 1).empty());
  // The first id alone has nothing before it.
  CHECK(scorer.score(std::vector<TokenId>{1, 5}, 2)->empty());
  PerplexityOptions options;
  options.context = 32;
  const auto short_text = measure_perplexity(scorer, "Once upon a time", options);
  CHECK(short_text.error().message().find("got 5 tokens, wanted two chunks of 32") !=
        std::string::npos);
  options.context = 2;
  CHECK(!measure_perplexity(scorer, "Once upon a time", options));
}

TEST_CASE("eval refuses what cannot be meant, and says the rest in words") {
  const ProcessResult said = eval({stories_path("f32"), text_path(), "--device", "cpu"});
  CHECK(said.exit_code == 0);
  CHECK(said.out.starts_with("perplexity 1.54"));
  CHECK(said.out.find(" of 510 tokens in 2 chunks of 512, ") != std::string::npos);
  const ProcessResult long_chunk =
      eval({stories_path("f32"), text_path(), "--ctx", "1024", "--device", "cpu"});
  CHECK(long_chunk.exit_code == 1);
  CHECK(long_chunk.err.find("--ctx, got 1024, wanted at most the model's context of 512") !=
        std::string::npos);
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("short.txt"), "Once upon a time").ok());
  const ProcessResult short_text = eval({stories_path("f32"), folder.file("short.txt")});
  CHECK(short_text.exit_code == 1);
  CHECK(short_text.err.find("short.txt': [perplexity] text, got 5 tokens") != std::string::npos);
  CHECK(eval({stories_path("f32"), folder.file("missing.txt")}).exit_code == 1);
  CHECK(eval({stories_path("f32")}).exit_code == 2);
  CHECK(run_polaris({"eval", "beauty", stories_path("f32"), text_path()}).exit_code == 2);
}

}  // namespace
}  // namespace polaris
