// polaris inspect --gpu: a model's run on a card that is not there.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/os/files.h"
#include "support/process.h"
#include "support/skip.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::string stories() { return std::string(kSourceDir) + "/models/stories/stories-q4_0.gguf"; }

ProcessResult inspect(const std::string& cache, const std::string& model, const std::string& gpu,
                      bool json = true) {
  std::vector<std::string> words = {"/usr/bin/env",
                                    "XDG_CACHE_HOME=" + cache,
                                    std::string(kBuildDir) + "/polaris",
                                    "inspect",
                                    model,
                                    "--gpu",
                                    gpu,
                                    "--context=128"};  // of language models
  if (json) words.push_back("--json");
  return run_process(words);
}

/// The "simulated" part; null, and the case skipped, where Mesa's driver is missing.
Json simulated(const std::string& cache, const std::string& model, const std::string& gpu) {
  const ProcessResult result = inspect(cache, model, gpu);
  CAPTURE(result.err);
  if (result.err.find("mesa-vulkan-drivers") != std::string::npos) {
    skip("no Vulkan driver of Mesa for AMD cards");
    return nullptr;
  }
  REQUIRE(result.exit_code == 0);
  return Json::parse(result.out).at("simulated");
}

TEST_CASE("a language model's prompt and generation are simulated, node by node") {
  const TemporaryFolder cache;
  const Json first = simulated(cache.path(), stories(), "rx580");
  if (first.is_null()) return;
  CHECK(first.at("gpu") == "rx580");
  CHECK(first.at("mhz") == 1340);
  CHECK_FALSE(first.at("mesa").get<std::string>().empty());
  REQUIRE(first.at("runs").size() == 2);
  for (const Json& run : first.at("runs")) {
    CAPTURE(run.at("what"));
    double us = 0;
    std::set<std::string> ops;
    for (const Json& node : run.at("nodes")) {
      CHECK(node.at("us").get<double>() > 0);
      CHECK(node.at("share_of_limit").get<double>() <= 1.001);
      us += node.at("us").get<double>();
      ops.insert(node.at("op").get<std::string>());
    }
    for (const char* op : {"Linear", "PagedAttention", "RotaryKvWrite", "RMSNormalization"}) {
      CHECK(ops.contains(op));
    }
    CHECK(run.at("not_simulated").empty());
    CHECK(run.at("kernels_ms").get<double>() == doctest::Approx(us / 1e3));
    const double gaps = run.at("gaps").get<double>() * first.at("gap_us").get<double>() / 1e3;
    CHECK(run.at("gaps_ms").get<double>() == doctest::Approx(gaps));
    const double ms = run.at("kernels_ms").get<double>() + run.at("gaps_ms").get<double>() +
                      run.at("bus_ms").get<double>();
    CHECK(run.at("ms").get<double>() == doctest::Approx(ms));
    const double rate = run.at("tokens").get<double>() * 1e3 / ms;
    CHECK(run.at("tokens_per_second").get<double>() == doctest::Approx(rate));
  }
  // A prompt step reads the weights once for all its tokens.
  const Json& prompt = first.at("runs")[0];
  const Json& generation = first.at("runs")[1];
  CHECK(prompt.at("what") == "prompt");
  CHECK(generation.at("tokens") == 1);
  CHECK(prompt.at("tokens_per_second") > generation.at("tokens_per_second"));

  // The same again, from the cache and without it.
  CHECK(path_kind(cache.file("polaris/simulated.txt")) == PathKind::kFile);
  CHECK(simulated(cache.path(), stories(), "rx580") == first);
  const TemporaryFolder other;
  CHECK(simulated(other.path(), stories(), "rx580") == first);
  const Json slow = simulated(cache.path(), stories(), "rx580:670");
  for (int run : {0, 1}) {
    CHECK(slow.at("runs")[run].at("kernels_ms") > first.at("runs")[run].at("kernels_ms"));
  }
}

TEST_CASE("any other model is simulated for the sizes given, and printed as a table") {
  const TemporaryFolder cache;
  const std::string model = std::string(kSourceDir) + "/tests/data/onnx/qdq_cnn.onnx";
  if (simulated(cache.path(), model, "rx470").is_null()) return;
  const ProcessResult result = inspect(cache.path(), model, "rx470", false);
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("simulated   rx470 at ") != std::string::npos);
  CHECK(result.out.find("no card was measured") != std::string::npos);
  CHECK(result.out.find("\nrun  ") != std::string::npos);
}

TEST_CASE("a graph that only its data can plan is refused") {
  const TemporaryFolder cache;
  const std::string model = std::string(kSourceDir) + "/tests/data/onnx/if_in_loop.onnx";
  const ProcessResult result = inspect(cache.path(), model, "rx580");
  CHECK(result.exit_code == 1);
  if (result.err.find("mesa-vulkan-drivers") != std::string::npos) return;
  CHECK(result.err.find("if_in_loop.onnx': [sim] a graph whose shapes") != std::string::npos);
}

TEST_CASE("a card that is not known is refused by name") {
  const TemporaryFolder cache;
  for (const char* gpu : {"rx580:", "rx580:0", "rx580:99999", "rx6800", ":1000"}) {
    const ProcessResult result = inspect(cache.path(), stories(), gpu);
    CHECK(result.exit_code != 0);
    CHECK(result.err.find("wanted rx470, rx480, rx570, rx580 or rx590") != std::string::npos);
  }
}

}  // namespace
}  // namespace polaris
