// The command line's samplers, logprobs and stop strings.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/generation.h"
#include "support/process.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

ProcessResult generate_with(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"generate",         stories_path("f32"), "-p",
                                        "Once upon a time", "--device",          "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_polaris(arguments);
}

std::vector<Json> lines_with(std::vector<std::string> more) {
  more.emplace_back("--json");
  const ProcessResult result = generate_with(more);
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  std::vector<Json> out;
  for (std::string_view line : split(result.out, '\n')) {
    if (!line.empty()) out.push_back(Json::parse(line));
  }
  REQUIRE_FALSE(out.empty());
  return out;
}

Json last_with(const std::vector<std::string>& more) { return lines_with(more).back(); }

TEST_CASE("a sampler's file says what flags say, and flags count more") {
  const TemporaryFolder folder;
  const std::string file = folder.file("s.json");
  REQUIRE(write_file(file, R"({"temperature": 1.5, "top_k": 100, "seed": 5, "typical_p": 0.9,
                               "repetition_penalty": 1.3, "logit_bias": {"1498": false}})"));
  const Json by_file = last_with({"-n", "40", "--sampler", file});
  const Json by_flags =
      last_with({"-n", "40", "--temperature", "1.5", "--top-k", "100", "--seed", "5", "--typical-p",
                 "0.9", "--repetition-penalty", "1.3", "--logit-bias", "1498=-inf"});
  CHECK(by_file.at("ids") == by_flags.at("ids"));
  for (const Json& id : by_file.at("ids")) CHECK(id != 1498);
  const Json other = last_with({"-n", "40", "--sampler", file, "--seed", "6"});
  CHECK(other.at("ids") != by_file.at("ids"));
  CHECK(last_with({"-n", "40", "--sampler", file, "--sequence", "1"}).at("ids") !=
        by_file.at("ids"));
  const Json greedy = last_with({"-n", "40", "--sampler", file, "--temperature", "0"});
  CHECK(greedy.at("ids") != by_file.at("ids"));
  CHECK(greedy.at("ids") == last_with({"-n", "40", "--temperature", "0", "--repetition-penalty",
                                       "1.3", "--logit-bias", "1498=-inf"})
                                .at("ids"));
  const std::vector<std::string> mirostat = {"-n", "40", "--seed", "5", "--mirostat"};
  for (const std::string version : {"1", "2"}) {
    std::vector<std::string> more = mirostat;
    more.push_back(version);
    CHECK(last_with(more).at("ids") == last_with(more).at("ids"));
  }
}

TEST_CASE("what a sampler cannot be is one line") {
  const TemporaryFolder folder;
  const auto fails = [&](const std::vector<std::string>& more, int code, std::string_view why) {
    const ProcessResult result = generate_with(more);
    CAPTURE(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(why) != std::string::npos);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  };
  const std::string file = folder.file("s.json");
  REQUIRE(write_file(file, R"({"top_z": 1})"));
  fails({"--sampler", file}, 1, "'" + file + "'");
  fails({"--sampler", file}, 1, "'top_z'");
  fails({"--sampler", folder.file("none.json")}, 1, "none.json");
  fails({"--logit-bias", "x=1"}, 1, "wanted ID=NUMBER");
  fails({"--logit-bias", "5=inf"}, 1, "token 5");
  fails({"--logit-bias", "5=1", "--logit-bias", "5=1"}, 1, "got two");
  fails({"--logit-bias", "99999999=1"}, 1, "got 99999999, wanted 0 to ");
  fails({"--mirostat", "2", "--temperature", "0"}, 1, "mirostat draws");
  fails({"--stop", ""}, 1, "stop string");
  fails({"--logprobs", "3"}, 2, "--json");
}

TEST_CASE("logprobs are those of the logits") {
  const TemporaryFolder folder;
  const auto lines = lines_with({"-n", "12", "--seed", "9", "--temperature", "1.7", "--top-k", "0",
                                 "--logprobs", "4", "--logits", folder.file("l.npy")});
  REQUIRE(lines.size() == 13);
  const auto logits = load_npy(folder.file("l.npy"));
  REQUIRE(logits);
  const std::int64_t width = logits->shape()[1];
  const auto values = logits->data<float>();
  for (std::size_t step = 0; step < 12; ++step) {
    const float* row = values + static_cast<std::int64_t>(step) * width;
    double sum = 0;
    for (std::int64_t i = 0; i < width; ++i) sum += std::exp(static_cast<double>(row[i]));
    const auto close = [&](const Json& got, std::int64_t id) {
      CHECK(std::abs(got.get<double>() - (static_cast<double>(row[id]) - std::log(sum))) < 1e-5);
    };
    const Json& line = lines[step];
    close(line.at("logprob"), line.at("token").get<std::int64_t>());
    const Json& top = line.at("top_logprobs");
    REQUIRE(top.size() == 4);
    CHECK(top[0].at("token") == std::max_element(row, row + width) - row);
    for (const Json& entry : top) close(entry.at("logprob"), entry.at("token"));
  }
  CHECK_FALSE(lines_with({"-n", "1"})[0].contains("logprob"));
}

TEST_CASE("a stop string ends the text, and nothing of it is shown") {
  const std::string whole = last_with({"-n", "60", "--temperature", "0"}).at("text");
  const std::size_t at = whole.size() / 2;
  // It begins and ends within words: tokens have other borders.
  const std::string stop = whole.substr(at, 9);
  const std::string wanted = whole.substr(0, whole.find(stop));
  const auto lines = lines_with(
      {"-n", "60", "--temperature", "0", "--stop", "nowhere to be found", "--stop", stop});
  const Json& last = lines.back();
  CHECK(last.at("text") == wanted);
  CHECK(last.at("finish") == "stop");
  CHECK(last.at("ids").size() < 60);
  std::string streamed;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) streamed += lines[i].at("piece");
  CHECK(streamed == wanted);
  const ProcessResult shown =
      generate_with({"-n", "60", "--temperature", "0", "-q", "--stop", stop});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out == wanted + "\n");
  // A beginning alone is text like any other.
  CHECK(last_with({"-n", "60", "--temperature", "0", "--stop", stop + "\x01"}).at("text") == whole);
}

}  // namespace
}  // namespace polaris
