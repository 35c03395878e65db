#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace polaris::cli {

enum class ChatVerb : std::uint8_t {
  kSay,  // no command: a message
  kHelp,
  kSystem,
  kClear,
  kUndo,
  kRetry,
  kEdit,
  kHistory,
  kSave,
  kLoad,
  kStats,
  kQuit,
};

struct ChatCommand {
  ChatVerb verb = ChatVerb::kSay;
  std::string text;  // the message, or what stands after the command
};

/// A line of the chat: "/command text", a message, or "//..." for a message that begins with "/".
/// Errors: invalid (no such command, a text that is missing or too much).
Result<ChatCommand> read_chat_line(std::string_view line);

/// A line for each command.
std::string chat_help();

}  // namespace polaris::cli
