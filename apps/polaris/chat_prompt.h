#pragma once
#include <string>

#include "command.h"
#include "pipeline/chat/chat.h"
#include "text/tokenizer.h"

namespace polaris::cli {

/// A conversation as the user gives it, and how it is rendered.
struct ChatPrompt {
  std::string messages_file;  // JSON
  std::string system;         // texts of messages, where there is no file
  std::string user;
  std::string chat_template;  // a name, or a file with a template
};

void declare_chat_template(CLI::App& app, ChatPrompt& prompt);

/// The template that `prompt` names, or that the model's file ships. Warns where it ships none and
/// one of ours stands in. Errors: those of choose_chat_template and read_file.
Result<ChatTemplate> chosen_template(const Common& common, const ChatPrompt& prompt,
                                     const Tokenizer& tokenizer, bool has_tools);

/// The text that the model is meant to go on from. Warns as chosen_template does.
Result<std::string> render_prompt(const Common& common, const ChatPrompt& prompt,
                                  const Tokenizer& tokenizer);

}  // namespace polaris::cli
