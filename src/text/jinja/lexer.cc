#include "text/jinja/lexer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "base/unicode.h"
#include "text/jinja/literal.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

// One kind of line end, and none at the very end.
std::string with_plain_line_ends(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::string_view kOperators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                           "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                           ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  Result<std::vector<Token>> read() {
    while (status_ && at_ < source_.size()) data();
    if (!status_) return status_.error();
    push(TokenKind::kEnd, {});
    return std::move(out_);
  }

 private:
  std::string_view rest(std::size_t at) const { return std::string_view(source_).substr(at); }
  bool is_at(std::size_t at, std::string_view what) const { return rest(at).starts_with(what); }

  void fail(const std::string& what) {
    if (status_) status_ = template_error(line_, what);
  }

  void push(TokenKind kind, std::string text) {
    Token token;
    token.kind = kind;
    token.line = line_;
    token.text = std::move(text);
    out_.push_back(std::move(token));
  }

  /// Moves on, counting lines.
  void move_to(std::size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    line_begins_ = to > at_ && source_[to - 1] == '\n';
    at_ = to;
  }

  std::size_t after_spaces(std::size_t at) const {
    return source_.size() - strip_left(rest(at)).size();
  }

  /// Text up to a tag whose sign is `sign`, as much of it as white space control leaves.
  void push_data(std::string_view text, char sign, bool is_print) {
    if (sign == '-') {
      text = strip_right(text);
    } else if (sign != '+' && !is_print) {
      const std::size_t line = text.rfind('\n') + 1;  // npos wraps to 0
      if ((line > 0 || line_begins_) && strip_left(text.substr(line)).empty()) {
        text = text.substr(0, line);
      }
    }
    if (!text.empty()) push(TokenKind::kData, std::string(text));
  }

  /// '-' or '+' after the two characters of a tag's beginning, else 0.
  char sign_at(std::size_t at) const {
    const char c = at < source_.size() ? source_[at] : '\0';
    return c == '-' || c == '+' ? c : '\0';
  }

  /// Where a tag's end at `at` stops, its white space too; 0 where none is there. `mark` is '%',
  /// '#' or '}'.
  std::size_t end_of_tag(std::size_t at, char mark) const {
    const char end[] = {mark, '}', '\0'};
    const bool is_print = mark == '}';
    if (is_at(at, std::string("-") + end)) return after_spaces(at + 3);
    if (!is_print && is_at(at, std::string("+") + end)) return at + 3;
    if (!is_at(at, end)) return 0;
    at += 2;
    return !is_print && at < source_.size() && source_[at] == '\n' ? at + 1 : at;
  }

  /// Text up to the next tag, and the tag.
  void data() {
    std::size_t tag = at_;
    for (;; ++tag) {
      tag = source_.find('{', tag);
      if (tag == std::string::npos || tag + 1 >= source_.size()) {
        push(TokenKind::kData, source_.substr(at_));
        return move_to(source_.size());
      }
      const char mark = source_[tag + 1];
      if (mark == '{' || mark == '%' || mark == '#') break;
    }
    const char mark = source_[tag + 1];
    const char sign = sign_at(tag + 2);
    push_data(rest(at_).substr(0, tag - at_), sign, mark == '{');
    move_to(tag);
    const std::size_t inside = tag + (sign != '\0' ? 3 : 2);
    if (mark == '#') return comment(inside);
    if (mark == '%') {
      if (const std::size_t raw_text = raw_begin(inside)) return raw(raw_text);
    }
    push(mark == '{' ? TokenKind::kPrintBegin : TokenKind::kBlockBegin, {});
    move_to(inside);
    code(mark == '{' ? '}' : '%');
  }

  void comment(std::size_t at) {
    for (; at < source_.size(); ++at) {
      if (const std::size_t end = end_of_tag(at, '#')) return move_to(end);
    }
    fail("comment without an end");
  }

  /// Where the text of a raw block begins whose tag's inside is at `at`; 0 where it is none.
  std::size_t raw_begin(std::size_t at) const {
    at = after_spaces(at);
    if (!is_at(at, "raw")) return 0;
    at = after_spaces(at + 3);
    if (is_at(at, "%}")) return at + 2;
    return is_at(at, "-%}") ? after_spaces(at + 3) : 0;
  }

  void raw(std::size_t begin) {
    move_to(begin);
    for (std::size_t tag = begin;; ++tag) {
      tag = source_.find("{%", tag);
      if (tag == std::string::npos) return fail("raw block without its endraw");
      const char sign = sign_at(tag + 2);
      std::size_t at = after_spaces(tag + (sign != '\0' ? 3 : 2));
      if (!is_at(at, "endraw")) continue;
      const std::size_t end = end_of_tag(after_spaces(at + 6), '%');
      if (end == 0) continue;
      push_data(rest(begin).substr(0, tag - begin), sign, false);
      return move_to(end);
    }
  }

  /// The tokens of a tag up to its end.
  void code(char mark) {
    brackets_.clear();
    while (status_) {
      move_to(after_spaces(at_));
      if (at_ >= source_.size()) return fail("a tag without an end");
      if (brackets_.empty()) {
        if (const std::size_t end = end_of_tag(at_, mark)) {
          push(mark == '}' ? TokenKind::kPrintEnd : TokenKind::kBlockEnd, {});
          return move_to(end);
        }
      }
      token();
    }
  }

  void token() {
    const char c = source_[at_];
    if (is_digit(c)) return number();
    if (is_name_byte(c)) {
      std::size_t end = at_;
      while (end < source_.size() && is_name_byte(source_[end])) ++end;
      push(TokenKind::kName, source_.substr(at_, end - at_));
      return move_to(end);
    }
    if (c == '\'' || c == '"') return literal(c);
    for (const std::string_view op : kOperators) {
      if (!is_at(at_, op)) continue;
      if (!bracket(op)) return;
      push(TokenKind::kOperator, std::string(op));
      return move_to(at_ + op.size());
    }
    fail("got '" + printable(rest(at_).substr(0, 1)) + "', wanted an expression");
  }

  bool bracket(std::string_view op) {
    if (op == "(" || op == "[" || op == "{") {
      brackets_ += op == "(" ? ')' : op == "[" ? ']' : '}';
    } else if (op == ")" || op == "]" || op == "}") {
      if (brackets_.empty() || brackets_.back() != op[0]) {
        fail("got '" + std::string(op) + "', wanted " +
             (brackets_.empty() ? "nothing to close"
                                : "'" + brackets_.substr(brackets_.size() - 1) + "'"));
        return false;
      }
      brackets_.pop_back();
    }
    return true;
  }

  void number() {
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    const NumberLiteral read = read_number(rest(at_), !after_dot);
    if (read.bytes == 0) {
      return fail("number '" + printable(rest(at_).substr(0, 24)) + "' is too large");
    }
    push(read.is_real ? TokenKind::kFloat : TokenKind::kInteger, source_.substr(at_, read.bytes));
    out_.back().integer = read.integer;
    out_.back().real = read.real;
    move_to(at_ + read.bytes);
  }

  void literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return fail("a text without its closing " + std::string(1, quote));
    auto text = unescaped(rest(at_ + 1).substr(0, end - at_ - 1));
    if (!text) return fail("escape in a text, got " + printable(rest(at_), 32));
    push(TokenKind::kText, std::move(*text));
    move_to(end + 1);
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_begins_ = true;  // what was read last ends with a line end
  std::string brackets_;     // those that close the open ones
  std::vector<Token> out_;
  Status status_;
};

}  // namespace

std::string token_name(const Token& token) {
  switch (token.kind) {
    case TokenKind::kData: return "text";
    case TokenKind::kPrintBegin: return "'{{'";
    case TokenKind::kBlockBegin: return "'{%'";
    case TokenKind::kPrintEnd:
    case TokenKind::kBlockEnd: return "the end of the tag";
    case TokenKind::kEnd: return "the end of the template";
    case TokenKind::kText: return "the text '" + printable(token.text, 40) + "'";
    default: return "'" + printable(token.text, 40) + "'";
  }
}

Error template_error(int line, const std::string& what) {
  return Error::invalid("[chat template] line " + std::to_string(line) + ", " + what);
}

Result<std::vector<Token>> read_tokens(std::string_view source) {
  return Lexer(with_plain_line_ends(source)).read();
}

}  // namespace polaris::jinja
