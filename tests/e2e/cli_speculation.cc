// The command line's drafts and context shifts.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/generation.h"
#include "support/gguf_builder.h"
#include "support/peer_story.h"
#include "support/process.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

Json last_line(const std::string& text) {
  Json out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty()) out = Json::parse(line);
  }
  return out;
}

std::vector<std::string> with(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Json generate_json(const std::vector<std::string>& arguments) {
  const ProcessResult result =
      run_polaris(with({"generate", "--device", "cpu", "--json"}, arguments));
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return last_line(result.out);
}

TEST_CASE("drafts give llama.cpp's texts, looked up and of a small model") {
  const LanguageModel model = load_language_model(stories_path("f32"), make_runtime({"cpu"}));
  const LanguageModel small = load_language_model(stories_path("q4_0"), make_runtime({"cpu"}));
  for (const bool looks_up : {true, false}) {
    BatcherOptions options;
    options.speculation = {.draft_tokens = 4, .lookup_tokens = looks_up ? 1 : 0, .adaptive = false};
    TestBatcher test = make_batcher(model, 0, options);
    TestBatcher draft = make_batcher(small);
    if (!looks_up) {
      auto session = Session::create(small.program, draft.pool);
      REQUIRE(session);
      REQUIRE(test.batcher->set_draft_model(
          std::make_unique<DraftModel>(small, session.take(), draft.pool, 512)));
    }
    for (const PeerStory& peer : read_peer_stories("f32")) {
      CAPTURE(peer.prompt);
      const Generated got = generate(*test.batcher, greedy_request(model, peer.prompt, 512));
      CHECK(got.ids == peer.ids);
      CHECK(got.finish == FinishReason::kEnd);
    }
    CHECK(test.batcher->counters().accepted > 50);
  }
}

TEST_CASE("generate --lookup and --draft give the same text, and count what was drafted") {
  const std::vector<std::string> base = {stories_path("q8_0"),
                                         "-p",
                                         "Lily had a red ball. Tom had a blue ball. Lily had",
                                         "-n",
                                         "80",
                                         "--seed",
                                         "4",
                                         "--ignore-eos"};
  for (const std::string temperature : {"0", "0.8"}) {
    const auto some = with(base, {"--temperature", temperature});
    const Json plain = generate_json(some);
    CHECK(!plain.contains("drafted"));
    for (const auto& flags : std::vector<std::vector<std::string>>{
             {"--lookup", "2"},
             {"--draft", stories_path("q4_0")},
             {"--draft", stories_path("q4_0"), "--lookup", "3", "--draft-tokens", "3"}}) {
      const Json got = generate_json(with(some, flags));
      CHECK(got.at("ids") == plain.at("ids"));
      CHECK(got.at("text") == plain.at("text"));
      const double drafted = got.at("drafted");
      const double accepted = got.at("accepted");
      CHECK(accepted <= drafted);
      CHECK(got.at("acceptance").get<double>() ==
            doctest::Approx(drafted > 0 ? accepted / drafted : 0));
    }
  }
  // A stop string within what came at once.
  const auto stop = with(base, {"--temperature", "0", "--stop", "ball"});
  const Json plain = generate_json(stop);
  CHECK(plain.at("finish") == "stop");
  const Json got = generate_json(with(stop, {"--lookup", "1"}));
  CHECK(got.at("text") == plain.at("text"));
  CHECK(got.at("finish") == "stop");
}

TEST_CASE("generate says why it cannot draft") {
  const TemporaryFolder folder;
  TinyLlama sizes;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  const std::vector<std::byte> file = builder.file();
  const std::string tiny = folder.file("tiny.gguf");
  REQUIRE(write_file(tiny, {reinterpret_cast<const char*>(file.data()), file.size()}));
  ProcessResult result = run_polaris(
      {"generate", stories_path("q8_0"), "-p", "a", "--draft", tiny, "--device", "cpu"});
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("tiny.gguf'") != std::string::npos);
  CHECK(result.err.find("[draft] count of tokens of the draft model, got 24, wanted ") !=
        std::string::npos);
  result = run_polaris({"generate", stories_path("q8_0"), "-p", "a", "--draft",
                        folder.file("none.gguf"), "--device", "cpu"});
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("none.gguf") != std::string::npos);
  CHECK(run_polaris({"generate", stories_path("q8_0"), "-p", "a", "--lookup", "65"}).exit_code ==
        2);
  CHECK(
      run_polaris({"bench", stories_path("q8_0"), "--lookup", "2", "--device", "cpu"}).exit_code ==
      2);
}

TEST_CASE("bench counts drafts") {
  ProcessResult result =
      run_polaris({"bench", stories_path("q8_0"), "--llm", "--lookup", "2", "--prompt-tokens", "8",
                   "--tokens", "40", "--runs", "2", "--device", "cpu", "--json"});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(last_line(result.out).contains("acceptance"));
  result = run_polaris({"bench", stories_path("q8_0"), "--service", "--sequences", "3", "--tokens",
                        "8", "--lookup", "2", "--device", "cpu", "--json"});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(last_line(result.out).contains("drafted"));
}

TEST_CASE("generate --context-shift goes on where the context is full, and says so") {
  const std::vector<std::string> base = {
      "generate", stories_path("q8_0"), "-p", "Once upon a time", "-c",       "64",  "-n",
      "400",      "--temperature",      "0",  "--ignore-eos",     "--device", "cpu", "--json"};
  ProcessResult result = run_polaris(base);
  CHECK(last_line(result.out).at("finish") == "context");
  result = run_polaris(with(base, {"--context-shift", "--lookup", "2"}));
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const Json json = last_line(result.out);
  CHECK(json.at("finish") == "length");
  CHECK(json.at("ids").size() == 400);
  CHECK(json.at("context_shifts").get<int>() == 11);
  CHECK(json.at("dropped_tokens").get<int>() == 11 * 32);  // BOS stays
  CHECK(json.at("recomputed_tokens").get<int>() == 11 * 31);
  CHECK(result.err.find("the context of 64 tokens is full: 32 of them are dropped") !=
        std::string::npos);
  result = run_polaris(with(base, {"--context-shift", "--keep", "20"}));
  CHECK(last_line(result.out).at("dropped_tokens").get<int>() % 23 == 0);
  CHECK(run_polaris(with(base, {"--keep", "20"})).exit_code == 2);
  result = run_polaris(with(base, {"--context-shift", "--keep", "63"}));
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("tokens to keep, got 63, wanted at most 62") != std::string::npos);
}

constexpr std::string_view kTemplate =
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

TEST_CASE("chat goes on within an answer that is longer than its context") {
  const TemporaryFolder folder;
  TinyLlama sizes;
  sizes.context = 128;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  builder.add_text("tokenizer.chat_template", kTemplate);
  const std::vector<std::byte> file = builder.file();
  const std::string model = folder.file("chat.gguf");
  REQUIRE(write_file(model, {reinterpret_cast<const char*>(file.data()), file.size()}));
  const auto chat = [&](const std::vector<std::string>& more) {
    ProcessOptions options;
    options.input = "t4 t5\nt6 t7\n";
    return run_polaris(with({"chat", model, "--device", "cpu", "--seed", "1", "-n", "500", "--json",
                             "--logit-bias", "2=-inf", "--system", "t8 t9"},
                            more),
                       options);
  };
  const ProcessResult on = chat({});
  REQUIRE_MESSAGE(on.exit_code == 0, on.err);
  Json json = last_line(on.out);
  CHECK(json.at("new_tokens") == 500);
  CHECK(json.at("finish") == "length");
  CHECK(json.at("context_shifts").get<int>() >= 6);
  CHECK(json.at("dropped_tokens").get<int>() > 300);
  CHECK(on.err.find("times in this answer: it went on without ") != std::string::npos);
  const ProcessResult off = chat({"--no-context-shift"});
  REQUIRE_MESSAGE(off.exit_code == 0, off.err);
  json = last_line(off.out);
  CHECK(json.at("finish") == "context");
  CHECK(!json.contains("context_shifts"));
  CHECK(off.err.find("the context is full: the answer is cut") != std::string::npos);
}

}  // namespace
}  // namespace polaris
