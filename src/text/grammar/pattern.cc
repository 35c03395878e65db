#include "text/grammar/pattern.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "base/unicode.h"

namespace polaris::grammar {
namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr int kDepthMax = 64;

CharRanges digits() { return {{'0', '9'}}; }
CharRanges word() { return {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}; }
CharRanges spaces() {
  return {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
          {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
}

std::uint32_t add_lengths(std::uint32_t a, std::uint32_t b) {
  return a == kMany || b == kMany || a > kMany - 1 - b ? kMany : a + b;
}
std::uint32_t times(std::uint32_t a, std::uint32_t b) {
  if (a == 0 || b == 0) return 0;
  return a == kMany || b == kMany || a > (kMany - 1) / b ? kMany : a * b;
}

class PatternReader {
 public:
  PatternReader(std::string_view pattern, JsonText& json)
      : pattern_(pattern), json_(json), rules_(json.rules()) {
    for (std::size_t at = 0; at < pattern.size();) {
      const Character c = decode_utf8(pattern, at);
      text_ += c.code;
      at += c.bytes;
    }
  }

  Result<PatternText> read() {
    PatternText out = alternatives(0);
    if (status_ && at_ < text_.size()) invalid("a ')' that closes nothing");
    if (!status_) return status_.error();
    return out;
  }

 private:
  bool ended() const { return at_ >= text_.size(); }
  char32_t now() const { return ended() ? U'\0' : text_[at_]; }
  bool take(char32_t c) {
    if (ended() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool comes(std::u32string_view what) const {
    return std::u32string_view(text_).substr(std::min(at_, text_.size())).starts_with(what);
  }
  void fail(ErrorCode code, const std::string& what) {
    if (!status_) return;
    status_ = Error(code, "pattern '" + printable(pattern_) + "', got " + what);
    at_ = text_.size();
  }
  void invalid(const std::string& what) { fail(ErrorCode::kInvalid, what); }
  void unsupported(const std::string& what) { fail(ErrorCode::kUnsupported, what); }

  PatternText alternatives(int depth) {
    if (depth > kDepthMax) {
      fail(ErrorCode::kExhausted, "groups nested too deep");
      return {};
    }
    std::vector<ExprId> parts;
    PatternText out{0, kMany, 0};
    do {
      const PatternText one = sequence(depth);
      if (!status_) return {};
      parts.push_back(one.body);
      out.min = std::min(out.min, one.min);
      out.max = std::max(out.max, one.max);
    } while (take('|'));
    out.body = rules_.choice(parts);
    return out;
  }

  PatternText sequence(int depth) {
    const bool whole = depth == 0;
    const bool from_begin = whole && take('^');
    bool to_end = false;
    std::vector<ExprId> parts;
    PatternText out;
    while (status_ && !ended() && now() != '|' && now() != ')') {
      if (whole && now() == '$' && (at_ + 1 == text_.size() || text_[at_ + 1] == '|')) {
        ++at_;
        to_end = true;
        break;
      }
      PatternText one = term(depth);
      if (status_) repeated(one);
      if (!status_) return {};
      parts.push_back(one.body);
      out.min = add_lengths(out.min, one.min);
      out.max = add_lengths(out.max, one.max);
    }
    if (whole && status_) {
      const ExprId anything = rules_.repeat(json_.written_character(), 0, kMany);
      if (!from_begin) parts.insert(parts.begin(), anything);
      if (!to_end) parts.push_back(anything);
      if (!from_begin || !to_end) out.max = kMany;
    }
    out.body = rules_.sequence(parts);
    return out;
  }

  PatternText term(int depth) {
    const char32_t c = now();
    switch (c) {
      case '^':
      case '$': unsupported("an anchor that is not at the pattern's ends"); return {};
      case '(': return group(depth);
      case '*':
      case '+':
      case '?': invalid("a repeat of nothing"); return {};
      case '{': invalid("a '{' that repeats nothing"); return {};
      default: break;
    }
    CharRanges ranges;
    if (c == '[') {
      ranges = bracket();
    } else if (c == '.') {
      ++at_;
      ranges = complement(normalized({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
    } else if (c == '\\') {
      ranges = escape(false);
    } else {
      ++at_;
      ranges = {{c, c}};
    }
    ranges = normalized(std::move(ranges));
    if (status_ && ranges.empty()) unsupported("a set without a character");
    if (!status_) return {};
    return {json_.characters(ranges), 1, 1};
  }

  PatternText group(int depth) {
    ++at_;
    if (take('?')) {
      if (comes(U"=") || comes(U"!") || comes(U"<=") || comes(U"<!")) {
        unsupported("a look around");
      } else if (take('<')) {
        while (!ended() && now() != '>') ++at_;
        if (!take('>')) invalid("a name that does not end");
      } else if (!take(':')) {
        unsupported("a group of another kind");
      }
    }
    if (!status_) return {};
    const PatternText out = alternatives(depth + 1);
    if (status_ && !take(')')) invalid("a group that does not end");
    return out;
  }

  void repeated(PatternText& part) {
    std::uint32_t min = 0;
    std::uint32_t max = kMany;
    if (take('*')) {
    } else if (take('+')) {
      min = 1;
    } else if (take('?')) {
      max = 1;
    } else if (take('{')) {
      min = max = count();
      if (take(',')) max = now() == '}' ? kMany : count();
      if (status_ && !take('}')) invalid("a '{' that is no repeat");
      if (status_ && max < min) invalid("a repeat of its most below its least");
    } else {
      return;
    }
    take('?');  // which texts there are does not hang on who is lazy
    if (now() == '*' || now() == '+' || now() == '?') invalid("a repeat of a repeat");
    if (!status_) return;
    part = {rules_.repeat(part.body, min, max), times(part.min, min), times(part.max, max)};
  }

  std::uint32_t count() {
    std::uint32_t out = 0;
    const std::size_t begin = at_;
    while (now() >= '0' && now() <= '9' && out <= Limits::kRepeats) {
      out = out * 10 + static_cast<std::uint32_t>(text_[at_++] - '0');
    }
    if (at_ == begin) invalid("a '{' that is no repeat");
    if (out > Limits::kRepeats) {
      fail(ErrorCode::kExhausted, "a repeat of more than " + std::to_string(Limits::kRepeats));
    }
    return out;
  }

  char32_t hex(std::size_t length) {
    char32_t out = 0;
    for (std::size_t i = 0; i < length; ++i, ++at_) {
      const char32_t c = now() | 0x20;
      const bool letter = c >= 'a' && c <= 'f';
      if (!letter && (now() < '0' || now() > '9')) {
        invalid("an escape without its digits");
        return 0;
      }
      out = out * 16 + (letter ? c - 'a' + 10 : now() - '0');
    }
    return out;
  }

  /// A character or a class of them, behind a '\'.
  CharRanges escape(bool in_set) {
    ++at_;
    const char32_t c = now();
    ++at_;
    const auto one = [](char32_t code) { return CharRanges{{code, code}}; };
    switch (c) {
      case 'd': return digits();
      case 'D': return complement(digits());
      case 'w': return word();
      case 'W': return complement(word());
      case 's': return spaces();
      case 'S': return complement(spaces());
      case 't': return one('\t');
      case 'n': return one('\n');
      case 'v': return one('\v');
      case 'f': return one('\f');
      case 'r': return one('\r');
      case 'b':
        if (in_set) return one('\b');
        break;
      case 'x': return one(hex(2));
      case 'u': return one(unicode());
      case 'c': {
        const char32_t letter = now() | 0x20;
        if (letter < 'a' || letter > 'z') break;
        ++at_;
        return one(letter & 0x1F);
      }
      case '0':
        if (now() < '0' || now() > '9') return one(0);
        break;
      default: break;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != 0) return one(c);
    unsupported(std::string("the escape \\") +
                (c < 0x80 ? std::string(1, static_cast<char>(c)) : "?"));
    return {};
  }

  char32_t unicode() {
    if (take('{')) {
      std::size_t length = 0;
      while (at_ + length < text_.size() && text_[at_ + length] != '}' && length < 7) ++length;
      const char32_t code = length == 0 || length > 6 ? kLast + 1 : hex(length);
      if (status_ && (code > kLast || !take('}'))) invalid("an escape that is no character");
      return code;
    }
    const char32_t first = hex(4);
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first < 0xDC00 && comes(U"\\u")) {
      at_ += 2;
      const char32_t second = hex(4);
      if (second >= 0xDC00 && second <= 0xDFFF) {
        return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
      }
    }
    unsupported("half of a surrogate pair");
    return 0;
  }

  CharRanges bracket() {
    ++at_;
    const bool negated = take('^');
    CharRanges out;
    while (status_ && now() != ']') {
      if (ended()) {
        invalid("a set that does not end");
        break;
      }
      const bool escaped = now() == '\\';
      CharRanges first = escaped ? escape(true) : CharRanges{{now(), now()}};
      if (!escaped) ++at_;
      const bool single = first.size() == 1 && first[0].first == first[0].last;
      if (status_ && single && now() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        const bool escaped_end = now() == '\\';
        const CharRanges last = escaped_end ? escape(true) : CharRanges{{now(), now()}};
        if (!escaped_end) ++at_;
        const bool one = last.size() == 1 && last[0].first == last[0].last;
        if (status_ && (!one || last[0].first < first[0].first)) invalid("a range that is none");
        if (status_) first[0].last = last[0].last;
      }
      out.insert(out.end(), first.begin(), first.end());
    }
    ++at_;
    out = normalized(std::move(out));
    return negated ? complement(out) : out;
  }

  std::string_view pattern_;
  JsonText& json_;
  Rules& rules_;
  std::u32string text_;
  std::size_t at_ = 0;
  Status status_;
};

}  // namespace

Result<PatternText> read_pattern(std::string_view pattern, JsonText& json) {
  return PatternReader(pattern, json).read();
}

}  // namespace polaris::grammar
