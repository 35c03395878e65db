#include "chat_commands.h"

#include "base/strings.h"

namespace polaris::cli {
namespace {

enum class Takes : std::uint8_t { kNothing, kMaybe, kText };

struct Row {
  std::string_view name;
  ChatVerb verb;
  Takes takes;
  std::string_view form;
  std::string_view doc;
};

constexpr Row kRows[] = {
    {"/help", ChatVerb::kHelp, Takes::kNothing, "/help", "these commands"},
    {"/system", ChatVerb::kSystem, Takes::kMaybe, "/system [TEXT]",
     "what stands before the conversation: shows it, or sets it"},
    {"/clear", ChatVerb::kClear, Takes::kNothing, "/clear", "forgets all messages"},
    {"/undo", ChatVerb::kUndo, Takes::kNothing, "/undo",
     "takes your last message and its answer back"},
    {"/retry", ChatVerb::kRetry, Takes::kNothing, "/retry",
     "answers your last message again, by other draws"},
    {"/edit", ChatVerb::kEdit, Takes::kText, "/edit TEXT",
     "puts TEXT in place of your last message, and answers it"},
    {"/history", ChatVerb::kHistory, Takes::kNothing, "/history", "shows the conversation"},
    {"/save", ChatVerb::kSave, Takes::kText, "/save FILE", "writes the conversation"},
    {"/load", ChatVerb::kLoad, Takes::kText, "/load FILE", "goes on from one that was written"},
    {"/stats", ChatVerb::kStats, Takes::kNothing, "/stats", "tokens, speeds, context"},
    {"/quit", ChatVerb::kQuit, Takes::kNothing, "/quit", "ends the program, as Ctrl-D does"},
};

}  // namespace

Result<ChatCommand> read_chat_line(std::string_view line) {
  if (line.starts_with("//")) return ChatCommand{ChatVerb::kSay, std::string(line.substr(1))};
  if (!line.starts_with("/")) return ChatCommand{ChatVerb::kSay, std::string(line)};
  const std::string_view name = line.substr(0, line.find(' '));
  const std::string_view text = trim(line.substr(name.size()));
  for (const Row& row : kRows) {
    if (row.name != trim(name)) continue;
    if (row.takes == Takes::kText && text.empty()) {
      return Error::invalid("[chat] " + std::string(row.name) + ", wanted " +
                            std::string(row.form));
    }
    if (row.takes == Takes::kNothing && !text.empty()) {
      return Error::invalid("[chat] " + std::string(row.name) + ", got '" + printable(text, 40) +
                            "' after it, wanted nothing");
    }
    return ChatCommand{row.verb, std::string(text)};
  }
  return Error::invalid("[chat] command, got '" + printable(name, 40) +
                        "', wanted one that /help lists, or // for a message that begins with /");
}

std::string chat_help() {
  std::string out;
  for (const Row& row : kRows) {
    std::string form(row.form);
    form.resize(16, ' ');
    out += form + std::string(row.doc) + "\n";
  }
  out += "A line that ends in \\ goes on in the next. Ctrl-C stops an answer.\n";
  return out;
}

}  // namespace polaris::cli
