#include "ir/text/lexer.h"

#include <algorithm>

namespace polaris {
namespace {

constexpr std::size_t kNameBytesMax = 4096;
constexpr std::string_view kMarks = "(){}[],:=_?*";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_char(char c) { return is_letter(c) || is_digit(c) || c == '.'; }
bool is_value_char(char c) { return is_word_char(c) || c == '/' || c == '-'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Length of the value name at the front: "a.b/c-d", and a ':' only with a digit after it, so that
/// `%x : float32` and `%x: float32` read alike while output 1 of `n` is `%n:1`.
std::size_t value_name_length(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size()) {
    const bool index = text[n] == ':' && n > 0 && n + 1 < text.size() && is_digit(text[n + 1]);
    if (!is_value_char(text[n]) && !index) break;
    ++n;
  }
  return n;
}

}  // namespace

Error text_error(TextPlace place, std::string_view what) {
  return Error::invalid("[text] " + std::to_string(place.line) + ":" +
                        std::to_string(place.column) + ": " + std::string(what));
}

bool is_bare_value_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && value_name_length(name) == name.size();
}

bool is_bare_word(std::string_view name) {
  return !name.empty() && is_letter(name[0]) && name != "_" && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), is_word_char);
}

std::string quote_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void TextLexer::advance() {
  if (text_[at_] == '\n') {
    ++place_.line;
    place_.column = 1;
  } else {
    ++place_.column;
  }
  ++at_;
}

void TextLexer::skip_space() {
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '#') {
      while (!at_end() && text_[at_] != '\n') advance();
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      advance();
    } else {
      return;
    }
  }
}

Result<std::string> TextLexer::quoted() {
  const TextPlace start = place_;
  advance();
  std::string out;
  while (!at_end() && peek() != '"') {
    char c = peek();
    if (c == '\n') return text_error(start, "string goes past the end of its line");
    if (c == '\\') {
      advance();
      c = peek();
      if (c == 'n') {
        c = '\n';
      } else if (c == 't') {
        c = '\t';
      } else if (c == 'x') {
        const int high = hex_digit(peek(1));
        const int low = hex_digit(peek(2));
        if (high < 0 || low < 0) return text_error(place_, "wanted two hex digits after \\x");
        advance();
        advance();
        c = static_cast<char>(high * 16 + low);
      } else if (c != '"' && c != '\\') {
        return text_error(place_, "unknown escape, wanted \\\" \\\\ \\n \\t or \\xNN");
      }
    }
    out += c;
    if (out.size() > kNameBytesMax) {
      return text_error(start, "string of more than " + std::to_string(kNameBytesMax) + " bytes");
    }
    advance();
  }
  if (at_end()) return text_error(start, "string without an end");
  advance();
  return out;
}

Result<std::string_view> TextLexer::raw_string() {
  skip_space();
  const TextPlace start = place_;
  if (peek() != '"') return text_error(start, "wanted a string");
  const std::size_t end = text_.find('"', at_ + 1);
  if (end == std::string_view::npos) return text_error(start, "string without an end");
  const std::string_view out = text_.substr(at_ + 1, end - at_ - 1);
  while (at_ <= end) advance();
  return out;
}

Result<TextToken> TextLexer::next() {
  skip_space();
  TextToken token;
  token.place = place_;
  if (at_end()) return token;
  const std::size_t start = at_;
  const char c = peek();
  const auto take = [&](std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) advance();
    token.text = std::string(text_.substr(start, length));
  };
  if (c == '"' || (c == '%' && peek(1) == '"')) {
    token.kind = c == '"' ? TextToken::Kind::kString : TextToken::Kind::kValue;
    if (c == '%') advance();
    auto text = quoted();
    if (!text) return text.error();
    token.text = text.take();
    return token;
  }
  if (c == '%' || c == '$') {
    token.kind = c == '%' ? TextToken::Kind::kValue : TextToken::Kind::kVariable;
    advance();
    const std::size_t length = value_name_length(text_.substr(at_));
    if (length == 0 || length > kNameBytesMax) {
      return text_error(token.place,
                        "wanted a name of at most 4096 bytes after " + std::string(1, c));
    }
    for (std::size_t i = 0; i < length; ++i) advance();
    token.text = std::string(text_.substr(start + 1, length));
    return token;
  }
  if (c == '=' && peek(1) == '>') {
    token.kind = TextToken::Kind::kMark;
    take(2);
    return token;
  }
  std::size_t length = 0;
  if (is_digit(c) || ((c == '-' || c == '+') && (is_digit(peek(1)) || is_letter(peek(1))))) {
    token.kind = TextToken::Kind::kNumber;
    for (length = 1;
         is_word_char(peek(length)) || ((peek(length) == '-' || peek(length) == '+') &&
                                        (peek(length - 1) == 'e' || peek(length - 1) == 'E'));) {
      ++length;
    }
  } else if (is_letter(c) && !(c == '_' && !is_word_char(peek(1)))) {
    token.kind = TextToken::Kind::kWord;
    while (is_word_char(peek(length))) ++length;
  } else if (kMarks.find(c) != std::string_view::npos) {
    token.kind = TextToken::Kind::kMark;
    length = 1;
  } else {
    return text_error(token.place, "a character that starts nothing here");
  }
  if (length > kNameBytesMax) return text_error(token.place, "a word of more than 4096 bytes");
  take(length);
  return token;
}

}  // namespace polaris
