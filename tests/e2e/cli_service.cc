// The command line's bench of many texts at once.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/generation.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

TEST_CASE("bench --service counts what it promises") {
  const ProcessResult result =
      run_polaris({"bench", stories_path("q8_0"), "--service", "--sequences", "6", "--tokens", "8",
                   "--step-budget", "50", "--cache-sequences", "3", "--device", "cpu", "--json"});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = Json::parse(result.out);
  CHECK(json.at("sequences") == 6);
  CHECK(json.at("step_budget_ms") == 50);
  for (const char* key :
       {"gap_ms_max", "gap_ms_p90", "gap_ms_median", "first_token_ms_max", "first_token_ms_median",
        "tokens_per_s", "gap_processor_ms_max", "step_expected_ms_max", "alone_tokens_per_s",
        "together_tokens_per_s", "together_ratio"}) {
    CAPTURE(key);
    CHECK(json.at(key).get<double>() > 0);
  }
  CHECK(json.at("gap_ms_median") <= json.at("gap_ms_max"));
  // Made-up prompts have nothing in common.
  CHECK(json.at("prompt_tokens") == json.at("computed_tokens"));
  CHECK(json.at("prompt_tokens").get<int>() >= 6 * 20);
  CHECK(json.at("cache_sequences") == 3);
  CHECK(json.at("finished") == 6);
  CHECK(json.at("preempted_most").get<int>() <= 2);
  CHECK(json.at("recomputed_share").get<double>() <= 0.1);
  CHECK(json.at("long_prompt_tokens") == 511);
  CHECK(json.at("short_behind_long_chunks").get<int>() >= 1);
  CHECK(json.at("short_behind_long_chunks").get<int>() <= 3);
  CHECK(json.at("chat_computed_share").get<double>() <= 0.15);
  CHECK(json.at("chat_computed_share").get<double>() > 0.02);
}

TEST_CASE("bench --service in words, and what it refuses") {
  const ProcessResult words = run_polaris({"bench", stories_path("q8_0"), "--service",
                                           "--sequences", "2", "--tokens", "4", "--device", "cpu"});
  CHECK_MESSAGE(words.exit_code == 0, words.err);
  CHECK(words.out.find("between tokens: median ") != std::string::npos);
  CHECK(words.out.find("20 tokens behind 511") != std::string::npos);
  CHECK(words.out.find("a chat of 10 turns") != std::string::npos);
  CHECK(run_polaris({"bench", stories_path("q8_0"), "--service", "--llm"}).exit_code == 2);
  const ProcessResult narrow = run_polaris({"bench", stories_path("q8_0"), "--service", "-c", "64",
                                            "--tokens", "60", "--device", "cpu"});
  CHECK(narrow.exit_code == 1);
  CHECK(narrow.err.find("got 64 tokens, wanted at least 80") != std::string::npos);
}

}  // namespace
}  // namespace polaris
