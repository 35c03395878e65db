#include "pipeline/chat/chat.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "pipeline/chat/chat_values.h"
#include "text/chat_format.h"
#include "text/jinja/template.h"

namespace polaris {
namespace {

const ChatFormat* find_format(std::string_view name) {
  const auto formats = chat_formats();
  const auto at = std::find_if(formats.begin(), formats.end(),
                               [&](const ChatFormat& format) { return format.name == name; });
  return at == formats.end() ? nullptr : &*at;
}

/// The format of ours whose control token the vocabulary has.
const ChatFormat* format_of(const Vocabulary& vocabulary) {
  for (const ChatFormat& format : chat_formats()) {
    const auto id = vocabulary.find(format.token);
    if (id && vocabulary.token(*id).kind != TokenKind::kNormal) return &format;
  }
  return nullptr;
}

std::string names_of(const TokenizerSettings& settings) {
  std::string out;
  for (const auto& entry : settings.chat_templates) out += printable(entry.first, 40) + ", ";
  for (const ChatFormat& format : chat_formats()) out += std::string(format.name) + ", ";
  return out.substr(0, out.size() - 2);
}

ChatTemplate of_ours(const ChatFormat& format) {
  return {std::string(format.name), std::string(format.source), true};
}

/// What every template is told besides the conversation.
void set_names(jinja::Machine& machine, const Tokenizer& tokenizer, jinja::Dict& names) {
  const auto set = [&](std::string_view name, const jinja::Value& value) {
    machine.set(names, jinja::Value::text(name), value);
  };
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  const auto token = [&](std::string_view name, std::optional<TokenId> id) {
    if (id) set(name, machine.text(vocabulary.token(*id).text));
  };
  token("bos_token", vocabulary.bos);
  token("eos_token", vocabulary.eos);
  token("unk_token", vocabulary.unknown);
  set("tools", jinja::Value::none());
  set("documents", jinja::Value::none());
  set("add_generation_prompt", jinja::Value::boolean(true));
}

void set_given(jinja::Machine& machine, const Conversation& conversation, jinja::Dict& names) {
  machine.at(0, "conversation");
  machine.set(names, jinja::Value::text("messages"), chat_value(machine, conversation.messages()));
  if (!conversation.root().is(JsonKind::kObject)) return;
  for (JsonValue v = conversation.root().first(); v; v = v.next()) {
    if (v.name() == "messages") continue;
    machine.set(names, machine.text(std::string(v.name())), chat_value(machine, v));
  }
}

}  // namespace

Result<ChatTemplate> choose_chat_template(const Tokenizer& tokenizer, std::string_view wanted,
                                          bool has_tools) {
  const auto& own = tokenizer.settings().chat_templates;
  const auto take = [&](std::string_view name) -> std::optional<ChatTemplate> {
    const auto at = own.find(name);
    if (at == own.end()) return std::nullopt;
    return ChatTemplate{at->first, at->second, false};
  };
  if (!wanted.empty()) {
    if (auto found = take(wanted)) return std::move(*found);
    if (const ChatFormat* format = find_format(wanted)) return of_ours(*format);
    return Error::not_found("[chat template] name, got '" + printable(wanted) +
                            "', wanted one of: " + names_of(tokenizer.settings()));
  }
  for (const std::string_view name : {"tool_use", "default"}) {
    if (name == "tool_use" && !has_tools) continue;
    if (auto found = take(name)) return std::move(*found);
  }
  if (own.empty()) {
    if (const ChatFormat* format = format_of(tokenizer.vocabulary())) return of_ours(*format);
  }
  return Error::not_found("[chat template] the file has none of its own, wanted a name: " +
                          names_of(tokenizer.settings()));
}

Result<Conversation> Conversation::parse(std::string_view text) {
  auto document = JsonDocument::parse(text);
  if (!document) return document.error().with_context("[chat template] conversation");
  Conversation out;
  out.document_ = document.take();
  if (!out.messages().is(JsonKind::kArray)) {
    return Error::invalid(
        "[chat template] conversation, wanted a list of messages, or an object with one under "
        "\"messages\"");
  }
  return out;
}

JsonValue Conversation::messages() const {
  return root().is(JsonKind::kObject) ? root()["messages"] : root();
}

bool Conversation::has_tools() const {
  const JsonValue tools = root()["tools"];
  return tools && !tools.is(JsonKind::kNull);
}

Result<std::string> render_chat(const ChatTemplate& chat_template, const Tokenizer& tokenizer,
                                const Conversation& conversation, const ChatOptions& options) {
  auto parsed = jinja::Template::parse(chat_template.source, options.limits);
  if (!parsed) return parsed.error();
  jinja::Machine machine(options.limits, options.now);
  const jinja::Value names = machine.dict();
  set_names(machine, tokenizer, names.dict());
  set_given(machine, conversation, names.dict());
  return parsed->render(machine, names);
}

Result<std::vector<TokenId>> encode_chat(const Tokenizer& tokenizer, std::string_view text,
                                         bool add_special) {
  auto ids = tokenizer.encode(
      text, {.add_special = add_special, .parse_special = true, .to_continue = true});
  if (ids && add_special && tokenizer.has_double_bos(*ids)) (*ids).erase((*ids).begin());
  return ids;
}

}  // namespace polaris
