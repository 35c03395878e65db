#include "text/grammar/gbnf.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "base/unicode.h"

namespace polaris::grammar {
namespace {

constexpr char32_t kCharacterLast = 0x10FFFF;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || is_digit(c);
}

/// Recursive descent; the first fault is kept, and nothing is read after it.
class GbnfParser {
 public:
  GbnfParser(std::string_view text, Rules& rules) : text_(text), rules_(rules) {}

  Result<RuleId> parse() {
    skip_space(true);
    while (status_ && at_ < text_.size()) read_rule();
    if (!status_) return status_.error();
    for (const RuleId rule : used_) {
      if (rules_.defined(rule)) continue;
      return Error::invalid("[grammar] rule '" + printable(rules_.name(rule)) +
                            "' is used and not defined");
    }
    const auto root = names_.find("root");
    if (root == names_.end()) return Error::invalid("[grammar] got no rule 'root', wanted one");
    if (auto status = rules_.status(); !status) return status.error();
    return root->second;
  }

 private:
  char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ >= text_.size(); }

  void fail(const std::string& what) {
    if (!status_) return;
    const auto line =
        1 + std::count(text_.begin(),
                       text_.begin() + static_cast<long>(std::min(at_, text_.size())), '\n');
    const std::string where = rule_.empty() ? "" : ", rule '" + printable(rule_) + "'";
    status_ = Error::invalid("[grammar] line " + std::to_string(line) + where + ": " + what);
    at_ = text_.size();
  }
  /// What stands here, for messages.
  std::string here() const {
    return at_end() ? "the end" : "'" + printable(text_.substr(at_, 16)) + "'";
  }
  void want(const std::string& what) { fail("got " + here() + ", wanted " + what); }

  void skip_space(bool line_ends) {
    while (!at_end()) {
      const char c = now();
      if (c == '#') {
        while (!at_end() && now() != '\r' && now() != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || (line_ends && (c == '\r' || c == '\n'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view read_name() {
    const std::size_t begin = at_;
    while (!at_end() && is_word(now())) ++at_;
    if (at_ == begin) want("a name of a-z, A-Z, 0-9 and -");
    return text_.substr(begin, at_ - begin);
  }

  RuleId rule_of(std::string_view name) {
    const auto found = names_.find(std::string(name));
    if (found != names_.end()) return found->second;
    const RuleId rule = rules_.declare(std::string(name));
    names_.emplace(name, rule);
    used_.push_back(rule);
    return rule;
  }

  void read_rule() {
    rule_.clear();
    const std::string_view name = read_name();
    if (!status_) return;
    rule_ = name;
    skip_space(false);
    if (text_.substr(at_, 3) != "::=") return want("'::='");
    at_ += 3;
    skip_space(true);
    const RuleId rule = rule_of(name);
    if (rules_.defined(rule)) return fail("it is there twice, wanted once");
    const ExprId body = read_choice(0);
    if (!status_) return;
    rules_.define(rule, body);
    if (!at_end() && now() != '\r' && now() != '\n') return want("the end of the line");
    skip_space(true);
  }

  ExprId read_choice(std::uint32_t depth) {
    if (depth > Limits::kDepth) {
      fail("groups, got more than " + std::to_string(Limits::kDepth) + " in one another");
      return 0;
    }
    std::vector<ExprId> parts{read_sequence(depth)};
    while (status_ && now() == '|') {
      ++at_;
      skip_space(true);
      parts.push_back(read_sequence(depth));
    }
    return status_ ? rules_.choice(parts) : 0;
  }

  ExprId read_sequence(std::uint32_t depth) {
    std::vector<ExprId> parts;
    bool repeatable = false;  // whether the last thing may be repeated
    while (status_ && !at_end()) {
      const char c = now();
      const bool repeats = c == '*' || c == '+' || c == '?' || c == '{';
      if (repeats) {
        if (!repeatable) fail("got " + here() + ", wanted something before it to repeat");
        if (status_) read_repeat(parts.back());
      } else {
        const auto item = read_item(depth);
        if (!item || !status_) break;
        parts.push_back(*item);
        // As in llama.cpp, "" is nothing that could be.
        const Expr& e = rules_.expr(*item);
        repeatable = e.kind != Expr::Kind::kText || !rules_.text_of(e).empty();
      }
      if (status_) skip_space(depth > 0);
    }
    return status_ ? rules_.sequence(parts) : 0;
  }

  /// Nothing where no item stands here.
  std::optional<ExprId> read_item(std::uint32_t depth) {
    const char c = now();
    if (c == '"') return rules_.text(read_text());
    if (c == '[') return rules_.set(read_set());
    if (c == '.') {
      ++at_;
      return rules_.set({{0, kCharacterLast}});
    }
    if (c == '(') {
      ++at_;
      skip_space(true);
      const ExprId group = read_choice(depth + 1);
      if (status_ && now() != ')') want("')'");
      ++at_;
      // A group of its own even where it holds one part, which may be "".
      return status_ ? rules_.repeat(group, 1, 1) : 0;
    }
    if (is_word(c)) return rules_.rule(rule_of(read_name()));
    if (c == '<' || c == '!') {
      fail("got " + here() + ", which names a token: texts and sets alone are served");
      status_ = Error::unsupported(status_.error().message());
    }
    return std::nullopt;
  }

  std::string read_text() {
    std::string out;
    ++at_;
    while (status_ && now() != '"') {
      if (at_end()) {
        fail("a text does not end");
        break;
      }
      append_utf8(out, read_character());
    }
    ++at_;
    return out;
  }

  CharRanges read_set() {
    CharRanges out;
    ++at_;
    const bool negated = now() == '^';
    if (negated) ++at_;
    while (status_ && now() != ']') {
      if (at_end()) {
        fail("a set does not end");
        break;
      }
      const char32_t first = read_character();
      char32_t last = first;
      if (status_ && now() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        last = read_character();
      }
      if (status_ && last < first) fail("a range of a set, got its end before its beginning");
      out.push_back({first, last});
    }
    ++at_;
    out = normalized(std::move(out));
    if (negated) out = complement(out);
    if (status_ && out.empty()) fail("a set, got no character in it");
    return out;
  }

  char32_t read_character() {
    if (now() == '\\') return read_escape();
    const Character read = decode_utf8(text_, at_);
    if (read.code >= kBadByte) {
      fail("got a byte that is no UTF-8");
      return 0;
    }
    at_ += read.bytes;
    return read.code;
  }

  char32_t read_escape() {
    ++at_;
    const char letter = now();
    ++at_;
    switch (letter) {
      case 'x': return read_hex(2);
      case 'u': return read_hex(4);
      case 'U': return read_hex(8);
      case 't': return '\t';
      case 'r': return '\r';
      case 'n': return '\n';
      case '\\':
      case '"':
      case '[':
      case ']': return static_cast<char32_t>(letter);
      default: break;
    }
    at_ -= 2;
    want("one of \\x \\u \\U \\t \\r \\n \\\\ \\\" \\[ \\]");
    return 0;
  }

  char32_t read_hex(std::size_t digits) {
    char32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char c = now();
      const char lower = static_cast<char>(c | 0x20);
      const bool letter = lower >= 'a' && lower <= 'f';
      if (!is_digit(c) && !letter) {
        want(std::to_string(digits) + " hexadecimal digits");
        return 0;
      }
      code = code * 16 + static_cast<char32_t>(letter ? lower - 'a' + 10 : c - '0');
    }
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (code > kCharacterLast || surrogate) fail("an escape, got no character's number");
    return code;
  }

  /// At a sign that repeats the part.
  void read_repeat(ExprId& part) {
    const char c = now();
    ++at_;
    std::uint32_t min = c == '+' ? 1 : 0;
    std::uint32_t max = c == '?' ? 1 : kMany;
    if (c == '{') {
      skip_space(false);
      min = max = read_count();
      skip_space(false);
      if (now() == ',') {
        ++at_;
        skip_space(false);
        max = is_digit(now()) ? read_count() : kMany;
        skip_space(false);
      }
      if (status_ && now() != '}') want("'}'");
      ++at_;
      if (status_ && max < min) fail("a repeat, got its most below its least");
    }
    if (status_) part = rules_.repeat(part, min, max);
  }

  std::uint32_t read_count() {
    if (!is_digit(now())) want("a number");
    std::uint64_t count = 0;
    const std::size_t begin = at_;
    while (is_digit(now())) {
      count = std::min<std::uint64_t>(count * 10 + static_cast<std::uint64_t>(now() - '0'), kMany);
      ++at_;
    }
    if (status_ && count > Limits::kRepeats) {
      fail("repeats, got " + printable(text_.substr(begin, at_ - begin)) + ", wanted at most " +
           std::to_string(Limits::kRepeats));
    }
    return static_cast<std::uint32_t>(count);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string rule_;
  Status status_;
  Rules& rules_;
  std::vector<RuleId> used_;  // in the order of their first use
  std::unordered_map<std::string, RuleId> names_;
};

}  // namespace

Result<RuleId> read_gbnf(std::string_view text, Rules& rules) {
  if (text.size() > Limits::kTextBytes) {
    return Error::exhausted("[grammar] text, got " + std::to_string(text.size()) +
                            " bytes, wanted at most " + std::to_string(Limits::kTextBytes));
  }
  // What llama.cpp would take for the end of the text.
  if (text.find('\0') != std::string_view::npos) {
    return Error::invalid("[grammar] text, got a NUL in it");
  }
  return GbnfParser(text, rules).parse();
}

}  // namespace polaris::grammar
