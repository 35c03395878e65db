// The command line's chat, with lines from a pipe.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/generation.h"
#include "support/gguf_builder.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

// The tiny model's BOS is written t1, its EOS t2.
constexpr std::string_view kTemplate =
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

std::string write_model(const TemporaryFolder& folder, std::uint32_t context = 512) {
  TinyLlama sizes;
  sizes.context = context;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  builder.add_text("tokenizer.chat_template", kTemplate);
  const std::vector<std::byte> file = builder.file();
  const std::string path = folder.file("chat.gguf");
  REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
  return path;
}

ProcessResult chat(const std::string& model, const std::string& input,
                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"chat", model, "--device", "cpu", "--seed", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (std::ranges::count(more, "-n") == 0) arguments.insert(arguments.end(), {"-n", "5"});
  ProcessOptions options;
  options.input = input;
  return run_polaris(arguments, options);
}

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> out;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty()) out.push_back(Json::parse(line));
  }
  return out;
}

std::vector<Json> answers(const std::string& model, const std::string& input,
                          std::vector<std::string> more = {}) {
  more.emplace_back("--json");
  const ProcessResult result = chat(model, input, more);
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  return json_lines(result.out);
}

Json read_session(const std::string& path) {
  auto text = read_file(path, 1 << 20);
  REQUIRE(text);
  return Json::parse(*text);
}

TEST_CASE("chat answers line by line, and computes only what is new") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder);
  std::string input;
  for (int turn = 0; turn < 10; ++turn) input += "t" + std::to_string(4 + turn) + " t5 t6 t7\n";
  const auto got = answers(model, input + "/stats\n");
  REQUIRE(got.size() == 11);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(got[i].at("role") == "assistant");
    CHECK(got[i].at("new_tokens").get<int>() >= 1);
    CHECK(got[i].at("dropped_messages") == 0);
  }
  // The tokenizer has no token for most of the template, so that some answers are encoded anew.
  const Json& stats = got.back();
  CHECK(stats.at("turns") == 10);
  MESSAGE(stats.dump());
  CHECK(stats.at("computed_tokens").get<double>() <=
        0.25 * stats.at("prompt_tokens").get<double>());
  // As generate has it from the same conversation; greedy, as its draws stand at other positions.
  const auto greedy = answers(model, "t4 t5\nt9\n", {"--temperature", "0"});
  const std::string messages = folder.file("m.json");
  REQUIRE(write_file(messages, Json::array({{{"role", "user"}, {"content", "t4 t5"}}}).dump()));
  const ProcessResult once = run_polaris({"generate", model, "--messages", messages, "-n", "5",
                                          "--temperature", "0", "--device", "cpu", "-q"});
  CHECK(once.out == greedy[0].at("content").get<std::string>() + "\n");
  const ProcessResult plain = chat(model, "t4 t5\n\n  \nt9\n", {"--temperature", "0"});
  CHECK(plain.out == greedy[0].at("content").get<std::string>() + "\n" +
                         greedy[1].at("content").get<std::string>() + "\n");
}

TEST_CASE("chat's commands change the conversation") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder);
  const std::string file = folder.file("c.json");
  const auto conversation = [&](const std::string& input) {
    const ProcessResult result = chat(model, input + "/save " + file + "\n");
    CHECK_MESSAGE(result.exit_code == 0, result.err);
    CHECK_MESSAGE(result.err.empty(), result.err);
    const Json saved = read_session(file);
    CHECK(saved.at("polaris_chat") == 1);
    std::vector<std::string> out;
    for (const Json& m : saved.at("messages")) {
      const std::string role = m.at("role");
      out.push_back(
          role == "assistant" ? "a" : role.substr(0, 1) + ":" + m.at("content").get<std::string>());
    }
    return out;
  };
  using Texts = std::vector<std::string>;
  CHECK(conversation("") == Texts{});
  CHECK(conversation("t4\nt5\n") == Texts{"u:t4", "a", "u:t5", "a"});
  CHECK(conversation("t4\nt5\n/undo\n") == Texts{"u:t4", "a"});
  CHECK(conversation("t4\nt5\n/clear\nt6\n") == Texts{"u:t6", "a"});
  CHECK(conversation("/system s\nt4\n") == Texts{"s:s", "u:t4", "a"});
  CHECK(conversation("/system s\nt4\n/clear\n") == Texts{"s:s"});
  CHECK(conversation("t4\n/retry\n") == Texts{"u:t4", "a"});
  CHECK(conversation("t4\nt5\n/edit t6 t7\n") == Texts{"u:t4", "a", "u:t6 t7", "a"});
  CHECK(conversation("//help\n") == Texts{"u:/help", "a"});
  CHECK(conversation("one\\\ntwo\n") == Texts{"u:one\ntwo", "a"});
  // A second draw for the same message.
  std::string message;  // longer than a page of the cache
  for (int i = 0; i < 60; ++i) message += "t4 ";
  const auto twice =
      answers(model, message + "\n/retry\n/retry\n", {"--temperature", "5", "-n", "20"});
  REQUIRE(twice.size() == 3);
  CHECK(twice[0].at("content") != twice[1].at("content"));
  CHECK(twice[1].at("content") != twice[2].at("content"));
  CHECK(twice[1].at("computed_tokens") == 1);
  const ProcessResult shown = chat(model, "/system be brief\n/system\n/help\n/history\n/stats\n");
  CHECK(shown.out.find("be brief") != std::string::npos);
  for (const char* name : {"/help", "/system", "/clear", "/undo", "/retry", "/edit", "/history",
                           "/save", "/load", "/stats", "/quit"}) {
    CHECK(shown.out.find(name) != std::string::npos);
  }
  CHECK(shown.out.find("0 answers") != std::string::npos);
}

TEST_CASE("what chat cannot do is said, and it goes on") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder);
  const std::string bad = folder.file("bad.json");
  REQUIRE(write_file(bad, R"({"polaris_chat": 1, "messages": [{"role": "x", "content": ""}]})"));
  const auto complains = [&](const std::string& line, std::string_view why) {
    const ProcessResult result = chat(model, line + "\n/quit\nnever\n", {"--json"});
    CAPTURE(line);
    CAPTURE(result.err);
    CHECK(result.exit_code == 0);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("polaris: error: "));
    CHECK(result.err.find(why) != std::string::npos);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  };
  complains("/nope", "'/nope'");
  complains("/undo", "no message");
  complains("/retry", "no message");
  complains("/edit", "/edit TEXT");
  complains("/undo now", "'now'");
  complains("/load " + folder.file("none.json"), "none.json");
  complains("/load " + bad, "got role 'x'");
  complains("/save " + folder.file("no/such.json"), "such.json");
  std::string long_message;
  for (int i = 0; i < 600; ++i) long_message += "t4 ";
  complains(long_message, "wanted at most 448 of a context of 512");
  const ProcessResult wrong = chat(model, "t4\n", {"--session", bad});
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("'" + bad + "'") != std::string::npos);
  const ProcessResult none = chat(stories_path("q4_0"), "hello\n");
  CHECK(none.exit_code == 1);
  CHECK(none.err.find("[chat template]") != std::string::npos);
}

TEST_CASE("chat saves its session and goes on from it") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder);
  const std::string session = folder.file("s.json");
  const std::string whole = folder.file("whole.json");
  const std::vector<std::string> greedy = {"--temperature", "0", "--session"};
  const auto with = [&](const std::string& file) {
    std::vector<std::string> out = greedy;
    out.push_back(file);
    return out;
  };
  answers(model, "t4\nt5\n", with(session));
  CHECK(read_session(session).at("messages").size() == 4);
  const auto later = answers(model, "t6\n", with(session));
  const auto at_once = answers(model, "t4\nt5\nt6\n", with(whole));
  CHECK(later[0].at("content") == at_once[2].at("content"));
  CHECK(read_session(session) == read_session(whole));
  // Loaded from within.
  const auto loaded =
      answers(model, "t9\n/load " + session + "\n/undo\nt6\n", {"--temperature", "0"});
  CHECK(loaded[1].at("content") == at_once[2].at("content"));
}

TEST_CASE("chat goes on past its context, and says so") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder, 256);
  std::string input;
  for (int turn = 0; turn < 60; ++turn) {
    for (int word = 0; word < 20; ++word) {
      input += "t" + std::to_string(4 + (turn * 7 + word * 3) % 18) + " ";
    }
    input += "\n";
  }
  const std::string session = folder.file("s.json");
  const ProcessResult result = chat(model, input, {"--json", "--session", session, "-n", "20"});
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  const auto got = json_lines(result.out);
  REQUIRE(got.size() == 60);
  std::int64_t prompts = 0;
  std::int64_t computed = 0;
  for (const Json& answer : got) {
    CHECK(answer.at("prompt_tokens").get<int>() <= 224);
    prompts += answer.at("prompt_tokens").get<std::int64_t>();
    computed += answer.at("computed_tokens").get<std::int64_t>();
  }
  CHECK(got.back().at("dropped_messages").get<int>() > 80);
  CHECK(result.err.find("the context of 256 tokens is full: the oldest ") != std::string::npos);
  // Not at every turn.
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') < 40);
  CHECK(computed < prompts);
  // Nothing is dropped from what is kept.
  CHECK(read_session(session).at("messages").size() == 120);
}

TEST_CASE("Ctrl-C stops an answer of the chat, and not the chat") {
  const TemporaryFolder folder;
  const std::string session = folder.file("s.json");
  ProcessOptions options;
  options.interrupt_after_bytes = 100;
  options.input = "Once upon a time\n/stats\n/quit\n";
  // The reference is slow enough to be met in the middle.
  const ProcessResult result = run_polaris(
      {"chat", stories_path("f32"), "--chat-template", "chatml", "--device", "reference", "-n",
       "400", "--temperature", "0", "--logit-bias", "2=-inf", "--session", session},
      options);
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("1 answers; ") != std::string::npos);
  const Json saved = read_session(session);
  REQUIRE(saved.at("messages").size() == 2);
  const std::string answer = saved.at("messages")[1].at("content");
  CHECK(answer.size() >= 100);
  CHECK(result.out.starts_with(answer + "\n"));
}

}  // namespace
}  // namespace polaris
