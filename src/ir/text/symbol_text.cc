#include "ir/text/symbol_text.h"

#include "base/strings.h"

namespace polaris {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The symbol that a word means, or nothing.
const Symbol* symbol_of_word(std::string_view word, const std::deque<Symbol>& symbols) {
  if (word.size() < 2 || word[0] != 's') return nullptr;
  const auto number = parse_u64(word.substr(1));
  return number && *number < symbols.size() ? &symbols[static_cast<std::size_t>(*number)] : nullptr;
}

}  // namespace

std::string name_symbols(std::string_view message, const std::deque<Symbol>& symbols) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < message.size();) {
    if (message[i] == '\'') quoted = !quoted;
    std::size_t end = i;
    while (end < message.size() && in_word(message[end])) ++end;
    if (end == i) {
      out += message[i++];
      continue;
    }
    const std::string_view word = message.substr(i, end - i);
    const Symbol* symbol = quoted ? nullptr : symbol_of_word(word, symbols);
    out += symbol != nullptr ? printable(symbol->name) : std::string(word);
    i = end;
  }
  return out;
}

}  // namespace polaris
