#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/os/calendar.h"
#include "base/result.h"
#include "text/jinja/limits.h"
#include "text/tokenizer.h"
#include "wire/json.h"

namespace polaris {

/// A template as chosen for a conversation.
struct ChatTemplate {
  std::string name;
  std::string source;
  bool is_ours = false;  // the file ships none; its vocabulary told which one is meant
};

/// The template named `wanted`: one of the file's, else one of ours. Of no name: the file's
/// "tool_use" where there are tools, else its "default", else the one of ours that the vocabulary's
/// control tokens tell. Errors: not_found, with what there is.
Result<ChatTemplate> choose_chat_template(const Tokenizer& tokenizer, std::string_view wanted,
                                          bool has_tools);

/// A conversation as JSON: a list of messages, or an object with such a list under "messages" and
/// other names that templates know (tools, documents, add_generation_prompt, enable_thinking ...).
class Conversation {
 public:
  /// `text` must outlive the conversation. Errors: invalid.
  static Result<Conversation> parse(std::string_view text);

  JsonValue root() const { return document_.root(); }
  JsonValue messages() const;
  bool has_tools() const;

 private:
  JsonDocument document_;
};

struct ChatOptions {
  CalendarTime now;
  jinja::Limits limits;
};

/// The text of a conversation. The template knows the tokens bos_token, eos_token and unk_token
/// that the tokenizer has; tools and documents are none and add_generation_prompt is true unless
/// they are given. Errors: those of jinja::Template.
Result<std::string> render_chat(const ChatTemplate& chat_template, const Tokenizer& tokenizer,
                                const Conversation& conversation, const ChatOptions& options = {});

/// Ids of a rendered conversation that goes on. Special tokens are taken wherever they are written,
/// in messages too; BOS is put in front where the tokenizer says so and the text does not bring it.
Result<std::vector<TokenId>> encode_chat(const Tokenizer& tokenizer, std::string_view text,
                                         bool add_special = true);

}  // namespace polaris
