// The command line writing models with smaller weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/load.h"
#include "support/peer_story.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

ProcessResult quantize(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "quantize");
  return run_polaris(std::move(arguments));
}

TEST_CASE("quantize writes the file that others made of the same weights, and it tells its story") {
  const TemporaryFolder folder;
  const std::string file = folder.file("story.gguf");
  const ProcessResult made =
      quantize({stories_path("f32"), "-o", file, "--scheme", "q8_0", "--json"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  CHECK(made.err.empty());
  const Json json = Json::parse(made.out);
  CHECK(json.at("file") == file);
  CHECK(json.at("scheme") == "q8_0");
  CHECK(json.at("bytes_before") == 8229248);
  CHECK(json.at("bytes_after") == 2219264);
  CHECK(json.at("bits_per_weight").get<double>() == doctest::Approx(8.524).epsilon(1e-3));
  CHECK(json.at("wall_ms").get<double>() > 0);
  const auto embedding =
      std::find_if(json.at("tensors").begin(), json.at("tensors").end(),
                   [](const Json& tensor) { return tensor.at("name") == "token_embd.weight"; });
  REQUIRE(embedding != json.at("tensors").end());
  CHECK(*embedding == Json{{"name", "token_embd.weight"},
                           {"shape", {1536, 192}},
                           {"from", "f32"},
                           {"to", "q8_0"},
                           {"bytes", 1536 * 192 / 32 * 34},
                           {"relative_error", embedding->at("relative_error")}});
  CHECK(embedding->at("relative_error").get<double>() == doctest::Approx(0.0055).epsilon(0.05));

  const auto ours = load_model(file, OpSet::builtin());
  const auto theirs = load_model(stories_path("q8_0"), OpSet::builtin());
  REQUIRE(ours.ok());
  REQUIRE(theirs.ok());
  REQUIRE(ours->weights.size() == theirs->weights.size());
  CHECK(json.at("tensors").size() == theirs->weights.size());
  for (std::size_t i = 0; i < theirs->weights.size(); ++i) {
    CAPTURE(theirs->weights[i].name);
    const auto at = std::find_if(ours->weights.begin(), ours->weights.end(), [&](const Weight& w) {
      return w.name == theirs->weights[i].name;
    });
    REQUIRE(at != ours->weights.end());
    CHECK(at->storage == theirs->weights[i].storage);
    CHECK(
        std::ranges::equal(at->constant->data.bytes(), theirs->weights[i].constant->data.bytes()));
  }
  const std::vector<std::string> ask = {"-p", "Once upon a time", "-n", "40", "--temperature",
                                        "0",  "--device",         "cpu"};
  const auto story = [&](const std::string& model) {
    std::vector<std::string> arguments = {"generate", model};
    arguments.insert(arguments.end(), ask.begin(), ask.end());
    return run_polaris(arguments).out;
  };
  CHECK(story(file) == story(stories_path("q8_0")));
}

TEST_CASE("quantize says what its rows do not allow, and writes the mixed schemes") {
  const TemporaryFolder folder;
  const std::string file = folder.file("story.gguf");
  const ProcessResult made = quantize({stories_path("f32"), "-o", file, "--scheme", "Q4_K_M"});
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  CHECK(made.err ==
        "polaris: warning: 35 tensors have rows that are no whole blocks of what the scheme says, "
        "such as 'blk.0.attn_k.weight' with rows of 192: stored as q5_0 in place of q4_k\n");
  CHECK(made.out.find("blk.0.attn_q.weight") != std::string::npos);
  CHECK(made.out.find("q5_0") != std::string::npos);
  CHECK(made.out.find("in place of q4_k\n") != std::string::npos);
  CHECK(made.out.find(file + ": 7.8 MiB -> 1.6 MiB, 6.247 bits a weight") != std::string::npos);
  const ProcessResult quiet = quantize({stories_path("f32"), "-o", file, "--scheme", "q2_k", "-q"});
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.err.empty());
  CHECK(std::count(quiet.out.begin(), quiet.out.end(), '\n') == 1);
}

TEST_CASE("quantize refuses what cannot be meant") {
  const TemporaryFolder folder;
  const std::string file = folder.file("out.gguf");
  const ProcessResult scheme = quantize({stories_path("f32"), "-o", file, "--scheme", "q4_k"});
  CHECK(scheme.exit_code == 2);
  CHECK(scheme.err.find("--scheme, got 'q4_k', wanted one of copy, f32, f16") != std::string::npos);
  const ProcessResult twice = quantize({stories_path("q8_0"), "-o", file, "--scheme", "q4_0"});
  CHECK(twice.exit_code == 1);
  CHECK(twice.err.find("got q8_0, wanted f32, f16 or bf16") != std::string::npos);
  CHECK(twice.err.find("--allow-requantize") != std::string::npos);
  CHECK(path_kind(file) == PathKind::kMissing);
  CHECK(quantize({stories_path("q8_0"), "-o", file, "--scheme", "q4_0", "--allow-requantize", "-q"})
            .exit_code == 0);
  const ProcessResult itself = quantize({file, "-o", file, "--scheme", "copy"});
  CHECK(itself.exit_code == 1);
  CHECK(itself.err.find("is a file of the model itself") != std::string::npos);
  const ProcessResult nowhere =
      quantize({stories_path("f32"), "-o", folder.file("no/out.gguf"), "--scheme", "copy"});
  CHECK(nowhere.exit_code == 1);
  CHECK(nowhere.err.find("no/out.gguf' cannot be made") != std::string::npos);
  CHECK(quantize({folder.file("missing.gguf"), "-o", file, "--scheme", "copy"}).exit_code == 1);
  CHECK(quantize({stories_path("f32"), "--scheme", "copy"}).exit_code == 2);
}

}  // namespace
}  // namespace polaris
