#include "chat_prompt.h"

#include <CLI/CLI.hpp>
#include <cstdint>

#include "base/json_writer.h"
#include "base/os/clock.h"
#include "base/os/files.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kConversationBytesMax = std::int64_t{64} << 20;
constexpr std::int64_t kTemplateBytesMax = std::int64_t{1} << 20;

std::string as_json(const ChatPrompt& prompt) {
  JsonWriter json;
  json.begin_array();
  const auto message = [&](std::string_view role, const std::string& content) {
    json.begin_object().field("role", role).field("content", content).end_object();
  };
  if (!prompt.system.empty()) message("system", prompt.system);
  message("user", prompt.user);
  return json.end_array().take();
}

Result<ChatTemplate> choose(const ChatPrompt& prompt, const Tokenizer& tokenizer, bool has_tools) {
  const std::string& name = prompt.chat_template;
  auto chosen = choose_chat_template(tokenizer, name, has_tools);
  if (chosen || name.empty() || path_kind(name) != PathKind::kFile) return chosen;
  auto source = read_file(name, kTemplateBytesMax);
  if (!source) return source.error();
  return ChatTemplate{name, source.take(), false};
}

}  // namespace

void declare_chat_template(CLI::App& app, ChatPrompt& prompt) {
  app.add_option("--chat-template", prompt.chat_template,
                 "name of one in the model's file or of ours (chatml, gemma, llama3), or a file");
}

Result<ChatTemplate> chosen_template(const Common& common, const ChatPrompt& prompt,
                                     const Tokenizer& tokenizer, bool has_tools) {
  auto chosen = choose(prompt, tokenizer, has_tools);
  if (chosen && (*chosen).is_ours && prompt.chat_template.empty() && !common.quiet) {
    common.logger().warning("the model's file ships no chat template: its vocabulary is that of '" +
                            (*chosen).name + "', which is used");
  }
  return chosen;
}

Result<std::string> render_prompt(const Common& common, const ChatPrompt& prompt,
                                  const Tokenizer& tokenizer) {
  std::string text;
  if (prompt.messages_file.empty()) {
    text = as_json(prompt);
  } else {
    auto read = read_file(prompt.messages_file, kConversationBytesMax);
    if (!read) return read.error();
    text = read.take();
  }
  const auto conversation = Conversation::parse(text);
  if (!conversation) {
    return prompt.messages_file.empty()
               ? conversation.error()
               : conversation.error().with_context("'" + prompt.messages_file + "'");
  }
  const auto chosen = chosen_template(common, prompt, tokenizer, (*conversation).has_tools());
  if (!chosen) return chosen.error();
  ChatOptions options;
  options.now = local_calendar(unix_time_ms());
  return render_chat(*chosen, tokenizer, *conversation, options);
}

}  // namespace polaris::cli
