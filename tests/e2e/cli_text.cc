// The command line on texts: generate, tokenize, detokenize.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty()) out.push_back(Json::parse(line));
  }
  return out;
}

TEST_CASE("generate streams the story as text") {
  const PeerStory peer = read_peer_stories("f32")[0];
  const ProcessResult result = run_polaris({"generate", stories_path("f32"), "-p", peer.prompt,
                                            "-n", "300", "--temperature", "0", "--device", "cpu"});
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out == peer.text + "\n");
  CHECK(result.err.find("finished by end, on cpu") != std::string::npos);
  const ProcessResult quiet = run_polaris({"generate", stories_path("f32"), "-p", peer.prompt, "-n",
                                           "300", "--temperature", "0", "--device", "cpu", "-q"});
  CHECK(quiet.out == peer.text.substr(peer.prompt.size()) + "\n");
  CHECK(quiet.err.empty());
}

TEST_CASE("generate --json ends with the whole") {
  const PeerStory peer = read_peer_stories("f32")[0];
  const ProcessResult result =
      run_polaris({"generate", stories_path("f32"), "-p", peer.prompt, "-n", "20", "--temperature",
                   "0", "--device", "cpu", "--json", "--raw-prompt"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  const std::vector<Json> lines = json_lines(result.out);
  REQUIRE(lines.size() == 21);
  const Json& last = lines.back();
  for (const char* key : {"text", "ids", "prompt_tokens", "prompt_tokens_per_s", "tokens_per_s"}) {
    CAPTURE(key);
    CHECK(last.contains(key));
  }
  const auto ids = last.at("ids").get<std::vector<TokenId>>();
  REQUIRE(ids.size() == 20);
  CHECK(std::equal(ids.begin(), ids.end(), peer.ids.begin()));
  CHECK(peer.text.starts_with(peer.prompt + last.at("text").get<std::string>()));
  CHECK(last.at("prompt_tokens") == peer.prompt_ids.size());
  CHECK(last.at("finish") == "length");
  std::string pieces;
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(lines[i].at("token") == ids[i]);
    pieces += lines[i].at("piece").get<std::string>();
  }
  CHECK(pieces == last.at("text").get<std::string>());
}

TEST_CASE("generate: seeds, the end of the text, and the context") {
  const auto text = [](std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "generate", stories_path("q4_0"), "-p", "Once upon a time", "--device", "cpu", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = run_polaris(arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    return json_lines(result.out).back();
  };
  const Json one = text({"-n", "60", "--seed", "1"});
  CHECK(one.at("text") == text({"-n", "60", "--seed", "1"}).at("text"));
  CHECK(one.at("text") != text({"-n", "60", "--seed", "2"}).at("text"));
  const Json ended = text({"-n", "400", "--temperature", "0"});
  CHECK(ended.at("finish") == "end");
  const Json on = text({"-n", "400", "--temperature", "0", "--ignore-eos"});
  CHECK(on.at("finish") == "length");
  CHECK(on.at("ids").size() == 400);
  const Json full = text({"-n", "400", "--temperature", "0", "--context", "32"});
  CHECK(full.at("finish") == "context");
  CHECK(full.at("ids").size() + full.at("prompt_tokens").get<std::size_t>() == 33);
}

TEST_CASE("generate takes and forces ids, and writes the logits they were picked from") {
  const TemporaryFolder folder;
  const PeerStory peer = read_peer_stories("f32")[0];
  const std::vector<TokenId> forced(peer.ids.begin(), peer.ids.begin() + 12);
  const auto save = [&](const std::string& name, const Json& json) {
    REQUIRE(write_file(folder.file(name), json.dump()));
    return folder.file(name);
  };
  const std::string prompt = save("prompt.json", peer.prompt_ids);
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"generate", stories_path("f32"), "--temperature", "0",
                                         "--kv-type", "f32", "--json", "--device", "cpu"});
    const ProcessResult result = run_polaris(arguments);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    return json_lines(result.out).back();
  };
  const Json free = run({"--ids-file", prompt, "-n", "12", "--logits", folder.file("free.npy")});
  CHECK(free.at("ids").get<std::vector<TokenId>>() == forced);
  CHECK(free.at("prompt_tokens") == peer.prompt_ids.size());
  CHECK(free.at("logits") == folder.file("free.npy"));
  // What tokenize and generate print is taken as it is.
  const std::string whole = save("whole.json", Json{{"ids", peer.prompt_ids}, {"pieces", 1}});
  const Json same = run({"--ids-file", whole, "--force-ids", save("forced.json", forced),
                         "--logits", folder.file("same.npy")});
  CHECK(same.at("ids") == free.at("ids"));
  auto a = load_npy(folder.file("free.npy"));
  auto b = load_npy(folder.file("same.npy"));
  REQUIRE(a);
  REQUIRE(b);
  const auto vocabulary = a->shape()[1];
  CHECK(a->type() == TensorType{DType::kF32, {12, vocabulary}, {}});
  CHECK(std::equal(a->bytes().begin(), a->bytes().end(), b->bytes().begin(), b->bytes().end()));
  for (std::size_t row = 0; row < forced.size(); ++row) {
    const auto* logits = reinterpret_cast<const float*>(a->bytes().data()) +
                         static_cast<std::ptrdiff_t>(row) * vocabulary;
    CHECK(std::max_element(logits, logits + vocabulary) - logits == forced[row]);
  }
  // Forced ids that no sampler would pick, and their count over -n.
  const std::vector<TokenId> odd = {300, 7, 300, 7};
  const Json forced_odd = run({"--ids-file", prompt, "--force-ids", save("odd.json", odd)});
  CHECK(forced_odd.at("ids").get<std::vector<TokenId>>() == odd);
  const Json fewer = run({"--ids-file", prompt, "--force-ids", folder.file("odd.json"), "-n", "2"});
  CHECK(fewer.at("ids").get<std::vector<TokenId>>() == std::vector<TokenId>{300, 7});
}

TEST_CASE("a prompt that brings a BOS of its own is warned of") {
  for (const std::string command : {"tokenize", "generate"}) {
    std::vector<std::string> arguments = {command, stories_path("q4_0"), "<s>Once"};
    if (command == "tokenize") {
      arguments.emplace_back("--parse-special");
    } else {
      arguments.insert(arguments.end(), {"-n", "1", "--device", "cpu"});
    }
    const ProcessResult twice = run_polaris(arguments);
    CHECK(twice.exit_code == 0);
    CHECK(twice.err.find("polaris: warning: the prompt begins with two <s>") != std::string::npos);
    arguments[2] = "Once";
    CHECK(run_polaris(arguments).err.find("warning") == std::string::npos);
  }
}

TEST_CASE("generate --profile counts what was planned") {
  const ProcessResult result = run_polaris({"generate", stories_path("q4_0"), "-p", "Once", "-n",
                                            "8", "--profile", "--device", "cpu", "-q"});
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("PagedAttention") != std::string::npos);
  CHECK(result.out.find("plans 2") != std::string::npos);
}

TEST_CASE("Ctrl-C ends generation with what there is") {
  ProcessOptions options;
  options.interrupt_after_bytes = 200;
  for (const bool json : {false, true}) {
    CAPTURE(json);
    // The reference is slow enough to be met in the middle.
    std::vector<std::string> arguments = {
        "generate",     stories_path("f32"), "-p", "Once upon a time", "-n",       "500",
        "--ignore-eos", "--temperature",     "0",  "--device",         "reference"};
    if (json) arguments.emplace_back("--json");
    const ProcessResult result = run_polaris(arguments, options);
    CAPTURE(result.err);
    CHECK(result.exit_code == 1);
    CHECK(result.err.find("polaris: error: ") != std::string::npos);
    CHECK(result.err.find("stopped on request") != std::string::npos);
    CHECK(result.out.ends_with("\n"));
    if (json) {
      const Json last = json_lines(result.out).back();
      CHECK(last.at("finish") == "cancelled");
      CHECK_FALSE(last.at("ids").empty());
      CHECK(last.at("ids").size() < 500);
    } else {
      CHECK(result.out.starts_with("Once upon a time, there was"));
      CHECK(result.err.find("finished by cancelled") != std::string::npos);
    }
  }
}

TEST_CASE("tokenize and detokenize are inverse") {
  const std::string model = stories_path("q8_0");
  const std::string prompt = "Once upon a time";
  ProcessResult result = run_polaris({"tokenize", model, prompt, "--json"});
  REQUIRE(result.exit_code == 0);
  Json json = Json::parse(result.out);
  CHECK(json.size() == 2);
  const auto ids = json.at("ids").get<std::vector<TokenId>>();
  CHECK(ids == read_peer_stories("q8_0")[0].prompt_ids);
  CHECK(json.at("pieces").size() == ids.size());
  CHECK(json.at("pieces")[0] == "<s>");
  result = run_polaris({"tokenize", model, prompt, "--json", "--no-special"});
  json = Json::parse(result.out);
  CHECK(json.at("ids").get<std::vector<TokenId>>() ==
        std::vector<TokenId>(ids.begin() + 1, ids.end()));
  std::vector<std::string> arguments = {"detokenize", model};
  for (TokenId id : ids) arguments.push_back(std::to_string(id));
  result = run_polaris(arguments);
  CHECK(result.exit_code == 0);
  CHECK(result.out == prompt + "\n");
  arguments.emplace_back("--json");
  CHECK(Json::parse(run_polaris(arguments).out) == Json({{"text", prompt}}));
  result = run_polaris({"tokenize", model, ""});
  CHECK(result.exit_code == 0);
}

}  // namespace
}  // namespace polaris
