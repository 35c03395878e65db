#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

struct ChatMessage {
  std::string role;  // "user" or "assistant"
  std::string content;
};

/// A conversation as it was held: what stands before it, then user and assistant in turn.
struct ChatHistory {
  std::string system;
  std::vector<ChatMessage> messages;

  void add(std::string_view role, std::string content);
  /// Takes the last message of the user and what came after it away, and gives its text; nothing
  /// where there is none.
  std::optional<std::string> take_last_user();

  /// The conversation as files keep it and templates are given it, from message `first` on.
  std::string to_json(std::size_t first = 0) const;
  /// What to_json made. Errors: invalid (malformed, another version, names or roles that there are
  /// not or in another order, more than kMessagesMax).
  static Result<ChatHistory> from_json(std::string_view text);

  static constexpr std::size_t kMessagesMax = 1 << 16;
};

}  // namespace polaris
