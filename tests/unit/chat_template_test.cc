// Chat templates against jinja2 (tests/data/make_chat.py), of GGUF files, and of real models.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "load/source.h"
#include "pipeline/chat/chat.h"
#include "pipeline/chat/chat_values.h"
#include "pipeline/model_tokenizer.h"
#include "support/gguf_builder.h"
#include "support/shared_files.h"
#include "support/skip.h"
#include "test_paths.h"
#include "text/jinja/template.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::ordered_json;  // keys stay as they stand

std::vector<Json> rows_of(const std::string& name) {
  const auto text = read_file(std::string(kSourceDir) + "/tests/data/chat/" + name, 1 << 24);
  REQUIRE(text.ok());
  std::vector<Json> out;
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.empty()) out.push_back(Json::parse(line));
  }
  return out;
}

TEST_CASE("chat templates are what jinja2 makes of them") {
  std::map<std::string, std::string> conversations;
  for (const Json& row : rows_of("conversations.jsonl")) {
    conversations[row.at("name").get<std::string>()] = row.at("names").dump();
  }
  const std::vector<Json> rows = rows_of("expected.jsonl");
  CHECK(rows.size() >= 400);
  std::map<std::string, int> texts;
  for (const Json& row : rows) {
    const auto name = row.at("template").get<std::string>();
    CAPTURE(name);
    CAPTURE(row.at("conversation").get<std::string>());
    const auto source = read_file(
        std::string(kSourceDir) + "/tests/data/chat/templates/" + name + ".jinja", 1 << 20);
    REQUIRE(source.ok());
    const auto given =
        JsonDocument::parse(conversations.at(row.at("conversation").get<std::string>()));
    REQUIRE(given.ok());
    jinja::Machine machine({}, {2026, 3, 5, 14, 7, 9, 4, 63});
    const jinja::Value names = chat_value(machine, (*given).root());
    auto parsed = jinja::Template::parse(*source);
    const auto got = parsed ? parsed->render(machine, names) : parsed.error();
    CHECK(got.ok() == !row.at("text").is_null());
    if (!got) continue;
    CHECK(*got == row.at("text").get<std::string>());
    ++texts[name];
  }
  CHECK(texts.size() >= 30);
}

/// A tiny Llama's file with what `add` puts beside its tokenizer.
template <class Add>
Result<Model> model_with(const Add& add, const std::vector<std::string>& texts = {}) {
  TinyLlama sizes;
  if (!texts.empty()) sizes.without = {"tokenizer.ggml.tokens"};
  GgufBuilder builder = tiny_llama(sizes);
  add_tokenizer(builder, sizes, texts);
  add(builder);
  auto source = Source::in_memory("test.gguf", builder.file());
  return load_model(source, OpSet::builtin());
}

Conversation parse(std::string_view text) {
  auto out = Conversation::parse(text);
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  return out.take();
}

TEST_CASE("a GGUF file's templates are chosen by name and by what is asked") {
  const auto model = model_with([](GgufBuilder& builder) {
    builder.add_text("tokenizer.chat_template",
                     "{{ bos_token }}{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor "
                     "%}{% if add_generation_prompt %}>{% endif %}");
    builder.add_text("tokenizer.chat_template.tool_use", "{{ tools | length }} tools");
    builder.add_texts("tokenizer.chat_templates", {"tool_use"});
  });
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto tokenizer = make_tokenizer(*model);
  REQUIRE(tokenizer.ok());
  CHECK((*tokenizer)->settings().chat_templates.size() == 2);
  const auto text = [&](std::string_view name, std::string_view json) {
    const Conversation conversation = parse(json);
    const auto chosen = choose_chat_template(**tokenizer, name, conversation.has_tools());
    if (!chosen) return chosen.error().message();
    const auto out = render_chat(*chosen, **tokenizer, conversation);
    return out ? *out : out.error().message();
  };
  const std::string user = R"([{"role": "user", "content": "a"}])";
  CHECK(text("", user) == "t1user=a;>");
  CHECK(text("", R"({"messages": [], "add_generation_prompt": false})") == "t1");
  CHECK(text("", R"({"messages": [], "tools": [1, 2]})") == "2 tools");
  CHECK(text("default", R"({"messages": [], "tools": [1]})") == "t1>");
  CHECK(text("chatml", user) == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n");
  CHECK(text("llama3", user) ==
        "<|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
  CHECK(
      text("nope", user) ==
      "[chat template] name, got 'nope', wanted one of: default, tool_use, chatml, gemma, llama3");
  CHECK(text("", R"([{"content": 99999999999999999999}])") ==
        "[chat template] conversation: a number of the conversation, wanted one of 64 bits");
  // The text brings its BOS: there is one all the same, and none where none is wanted.
  const auto ids = encode_chat(**tokenizer, "t1a");
  REQUIRE(ids.ok());
  const auto plain = encode_chat(**tokenizer, "a");
  REQUIRE(plain.ok());
  CHECK(*ids == *plain);
  CHECK((*ids)[0] == *(*tokenizer)->vocabulary().bos);
}

TEST_CASE("a file without a template is taken by its vocabulary, or refused") {
  const auto none = [](GgufBuilder&) {};
  const auto of = [&](const std::vector<std::string>& texts) {
    const auto model = model_with(none, texts);
    REQUIRE_MESSAGE(model.ok(), model.error().message());
    auto tokenizer = make_tokenizer(*model);
    REQUIRE(tokenizer.ok());
    auto chosen = choose_chat_template(**tokenizer, "", false);
    return chosen ? (*chosen).name : chosen.error().message();
  };
  CHECK(of({}).starts_with("[chat template] the file has none of its own, wanted a name: chatml"));
}

TEST_CASE("a template of another type is a fault of the file") {
  const auto model =
      model_with([](GgufBuilder& builder) { builder.add_u32("tokenizer.chat_template", 7); });
  REQUIRE(model.ok());
  const auto tokenizer = make_tokenizer(*model);
  REQUIRE(!tokenizer.ok());
  CHECK(tokenizer.error().message() ==
        "[tokenizer] tokenizer.chat_template, got a value of another type, wanted a text");
}

TEST_CASE("a conversation is a list of messages") {
  for (const std::string_view text : {"", "5", "{}", "{\"messages\": 1}", "[", "{\"a\": []}"}) {
    CAPTURE(text);
    CHECK(!Conversation::parse(text).ok());
  }
}

// POLARIS_MODELS names the folder in which the shared get_models.py has laid out real models.
void check_reference(const std::string& file, const std::string& name, const std::string& format) {
  const char* folder = std::getenv("POLARIS_MODELS");
  if (folder == nullptr) return skip("POLARIS_MODELS is not set");
  const auto reference = shared_file("models/reference/" + name + ".json");
  if (!reference) return;
  const auto text = read_file(*reference, 1 << 24);
  REQUIRE(text.ok());
  const auto model = load_model(std::string(folder) + "/" + file, OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto tokenizer = make_tokenizer(*model);
  REQUIRE(tokenizer.ok());
  const Json all = Json::parse(*text);
  std::size_t chats = 0;
  for (const Json& row : all.at("generation")) {
    if (!row.contains("messages")) continue;
    CAPTURE(row.at("name").get<std::string>());
    const std::string messages = row.at("messages").dump();
    const Conversation conversation = parse(messages);
    const auto rendered = [&](std::string_view wanted) {
      const auto chosen = choose_chat_template(**tokenizer, wanted, false);
      REQUIRE(chosen.ok());
      const auto out = render_chat(*chosen, **tokenizer, conversation);
      REQUIRE_MESSAGE(out.ok(), out.error().message());
      return *out;
    };
    CHECK(rendered("") == row.at("text").get<std::string>());
    const auto ids = encode_chat(**tokenizer, rendered(""));
    REQUIRE(ids.ok());
    CHECK(*ids == row.at("prompt_ids").get<std::vector<TokenId>>());
    // What llama.cpp makes without Jinja, by the format that it takes the template for.
    CHECK(rendered(format) == all.at("llama_chat_apply_template").at(chats).get<std::string>());
    ++chats;
  }
  CHECK(chats == 2);
}

TEST_CASE("rendered chats of Qwen2.5-Coder 0.5B") {
  check_reference("qwen2.5-coder-0.5b/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                  "qwen2.5-coder-0.5b", "chatml");
}

TEST_CASE("rendered chats of Gemma 3 270M, whose file ships no template") {
  check_reference("gemma3-270m/gemma-3-270m-q4_k_m.gguf", "gemma3-270m-q4_k_m", "gemma");
}

}  // namespace
}  // namespace polaris
