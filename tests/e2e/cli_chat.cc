// The command line on conversations: chat templates in generate and tokenize.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/gguf_builder.h"
#include "support/peer_story.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr std::string_view kTemplate =
    "{{ bos_token }}{% for m in messages %}\n"
    "{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}\n"
    "{{ m.role }}: {{ m.content }}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

/// A tiny model whose file ships a template; its BOS is written t1, its EOS t2.
std::string write_model(const TemporaryFolder& folder, std::string_view chat_template) {
  TinyLlama sizes;
  sizes.context = 256;
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes);
  builder.add_text("tokenizer.chat_template", chat_template);
  const std::vector<std::byte> file = builder.file();
  const std::string path = folder.file("chat.gguf");
  REQUIRE(write_file(path, {reinterpret_cast<const char*>(file.data()), file.size()}));
  return path;
}

std::string save(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  REQUIRE(write_file(folder.file(name), text));
  return folder.file(name);
}

TEST_CASE("tokenize renders a conversation") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder, kTemplate);
  const std::string messages =
      save(folder, "m.json",
           R"([{"role": "system", "content": "s"}, {"role": "user", "content": "grüße t2"}])");
  const std::string wanted = "t1system: s\nuser: grüße t2\nassistant:";
  ProcessResult result = run_polaris({"tokenize", model, "--messages", messages, "--render"});
  CHECK(result.exit_code == 0);
  CHECK(result.out == wanted);
  result = run_polaris({"tokenize", model, "--chat", messages, "--render", "--json"});
  CHECK(Json::parse(result.out) == Json({{"text", wanted}}));
  result = run_polaris({"tokenize", model, "--chat", messages, "--json"});
  REQUIRE(result.exit_code == 0);
  const Json ids = Json::parse(result.out);
  CHECK(ids.at("text") == wanted);
  CHECK(ids.at("ids")[0] == 1);
  CHECK(ids.at("ids")[1] != 1);  // the text brings its BOS
  // What a message writes of a special token is that token.
  CHECK(ids.at("pieces").dump().find("t2") != std::string::npos);
  result = run_polaris({"tokenize", model, wanted, "--parse-special", "--no-special", "--json"});
  CHECK(Json::parse(result.out).at("ids") == ids.at("ids"));
  result =
      run_polaris({"tokenize", model, "--chat", messages, "--render", "--chat-template", "chatml"});
  CHECK(result.out ==
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\ngrüße t2<|im_end|>\n"
        "<|im_start|>assistant\n");
  const std::string other = save(folder, "other.jinja", "{{ messages | length }} of {{ extra }}");
  const std::string object = save(folder, "o.json", R"({"messages": [], "extra": [1.0]})");
  result = run_polaris({"tokenize", model, "--chat", object, "--render", "--chat-template", other});
  CHECK(result.out == "0 of [1.0]");
}

TEST_CASE("generate asks by the template of the model's file") {
  const TemporaryFolder folder;
  const std::string model = write_model(folder, kTemplate);
  const auto last = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"generate", model,      "-n",  "3",      "--temperature",
                                          "0",        "--device", "cpu", "--json", "--ignore-eos"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = run_polaris(arguments);
    CHECK_MESSAGE(result.exit_code == 0, result.err);
    const auto lines = split(result.out, '\n');
    REQUIRE(lines.size() >= 2);
    Json json = Json::parse(lines[lines.size() - 2]);
    json.erase("prompt_tokens_per_s");
    json.erase("tokens_per_s");
    return json;
  };
  const std::string messages =
      save(folder, "m.json", R"({"messages": [{"role": "user", "content": "t3"}]})");
  // What the small vocabulary does not know is one token: "user: ", for one.
  const Json chat = last({"-p", "t3"});
  CHECK(chat == last({"-p", "t3", "--chat"}));
  CHECK(chat == last({"--messages", messages}));
  const Json raw = last({"-p", "t1user: t3\nassistant:", "--raw-prompt"});
  CHECK(raw.at("prompt_tokens") != chat.at("prompt_tokens"));  // there "t1" is text
  CHECK(last({"-p", "t3", "--raw-prompt"}).at("prompt_tokens") < chat.at("prompt_tokens"));
  CHECK(last({"-p", "t3", "--system", "t4"}).at("prompt_tokens") > chat.at("prompt_tokens"));
  const ProcessResult shown =
      run_polaris({"generate", model, "-p", "t3", "-n", "1", "--device", "cpu"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find("user: t3") == std::string::npos);
}

TEST_CASE("a conversation that cannot be rendered is one line that says why") {
  const TemporaryFolder folder;
  const auto fails = [&](const std::string& model, std::vector<std::string> more, int code,
                         std::string_view why) {
    more.insert(more.begin() + 1, model);
    CAPTURE(more);
    const ProcessResult result = run_polaris(more);
    CHECK(result.exit_code == code);
    CHECK_MESSAGE(result.err.find(why) != std::string::npos, result.err);
  };
  const std::string model = write_model(folder, kTemplate);
  const std::string tool = save(folder, "t.json", R"([{"role": "tool", "content": ""}])");
  const std::string none = save(folder, "n.json", R"({"role": "user"})");
  fails(model, {"tokenize", "--chat", tool}, 1,
        "[chat template] line 2, call 'raise_exception': no tools here");
  fails(model, {"tokenize", "--chat", none}, 1, "wanted a list of messages");
  fails(model, {"tokenize", "--chat", none}, 1, "'" + none + "': ");
  fails(model, {"tokenize", "--chat", tool, "--chat-template", "nope"}, 1,
        "wanted one of: default, chatml, gemma, llama3");
  fails(model, {"tokenize", "--chat", folder.file("missing.json")}, 1, "missing.json");
  fails(model, {"tokenize"}, 2, "a text is missing");
  fails(model, {"tokenize", "a", "--render"}, 2, "of --messages FILE");
  fails(model, {"generate", "-p", "a", "--raw-prompt", "--chat"}, 2, "--raw-prompt");
  fails(model, {"generate", "--messages", tool, "--raw-prompt"}, 2, "--raw-prompt");
  fails(stories_path("q4_0"), {"generate", "-p", "a", "--chat", "--device", "cpu"}, 1,
        "the file has none of its own");
  const TemporaryFolder other;
  const std::string broken = write_model(other, "{{ messages | }}");
  fails(broken, {"generate", "-p", "a", "--device", "cpu"}, 1,
        "[chat template] line 1, got the end of the tag, wanted the name of a filter; --raw-prompt "
        "goes without a template");
  const ProcessResult raw =
      run_polaris({"generate", broken, "-p", "a", "-n", "1", "--raw-prompt", "--device", "cpu"});
  CHECK_MESSAGE(raw.exit_code == 0, raw.err);
}

}  // namespace
}  // namespace polaris
