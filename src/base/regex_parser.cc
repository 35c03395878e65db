#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/regex.h"
#include "base/strings.h"

namespace polaris {

namespace {

using Instruction = Regex::Instruction;
using Op = Instruction::Op;
using Code = std::vector<Instruction>;

constexpr std::uint32_t kMany = UINT32_MAX;

/// A part of the program, its jumps relative to its own beginning, and the fewest characters that
/// it takes.
struct Part {
  Code code;
  std::size_t least = 0;
};

void append(Code& out, const Code& part) {
  const auto base = static_cast<std::uint32_t>(out.size());
  for (Instruction in : part) {
    in.first += base;
    in.second += base;
    out.push_back(in);
  }
}

std::uint32_t size_of(const Code& code) { return static_cast<std::uint32_t>(code.size()); }

}  // namespace

/// Recursive descent over the pattern; the first fault is kept.
class RegexParser {
 public:
  RegexParser(std::string_view pattern, Regex::Syntax syntax)
      : text_(pattern), re2_(syntax == Regex::Syntax::kRe2) {
    out_.syntax_ = syntax;
  }

  Result<Regex> parse() {
    Part whole = alternatives(false, 0);
    if (status_ && at_ < text_.size()) fail_invalid("a ')' that closes nothing");
    if (!status_) return status_.error();
    whole.code.push_back({Op::kMatch});
    out_.program_ = std::move(whole.code);
    return std::move(out_);
  }

 private:
  Part alternatives(bool ignore_case, int depth) {
    if (depth > Regex::kDepthMax) {
      fail_invalid("groups nested too deep");
      return {};
    }
    Part out = sequence(ignore_case, depth);
    while (status_ && take('|')) {
      Part other = sequence(ignore_case, depth);
      // Split(1, else) first Jump(end) else: other
      Code code;
      code.push_back({.op = Op::kSplit, .first = 1, .second = size_of(out.code) + 2});
      append(code, out.code);
      code.push_back({.op = Op::kJump, .first = size_of(out.code) + 2 + size_of(other.code)});
      append(code, other.code);
      out.code = std::move(code);
      out.least = std::min(out.least, other.least);
      check_size(out.code);
    }
    return out;
  }

  Part sequence(bool ignore_case, int depth) {
    Part out;
    while (status_ && at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      if (take("(?i)")) {
        ignore_case = true;
        continue;
      }
      Part item = repeated(atom(ignore_case, depth));
      append(out.code, item.code);
      out.least = std::min<std::size_t>(out.least + item.least, 1 << 20);
      check_size(out.code);
    }
    return out;
  }

  Part atom(bool ignore_case, int depth) {
    switch (text_[at_]) {
      case '(': return group(ignore_case, depth);
      case '[': ++at_; return of_set(bracket(ignore_case));
      case '^':
      case '$': return place(text_[at_++]);
      case '*':
      case '+':
      case '?':
      case '{': fail_invalid("a repeat of nothing"); return {};
      case '.': {
        ++at_;
        CharacterSet set;
        set.add_range('\n', '\n');
        set.close(true, false);
        return of_set(std::move(set));
      }
      case '\\':
        if (at_ + 1 < text_.size()) {
          const char letter = text_[at_ + 1];
          if (letter == 'b' || letter == 'B' || letter == 'A' || letter == 'z') {
            at_ += 2;
            return place(letter);
          }
        }
        break;
      default: break;
    }
    CharacterSet set;
    if (text_[at_] == '\\') {
      escape(set);
    } else {
      const char32_t c = character();
      set.add_range(c, c);
    }
    set.close(false, ignore_case);
    return of_set(std::move(set));
  }

  Part group(bool ignore_case, int depth) {
    ++at_;
    Op op = Op::kJump;  // a plain group
    bool negated = false;
    if (re2_ && at_ < text_.size() && text_[at_] == '?' && !is_re2_group()) {
      fail_unsupported("a group (?" + std::string(text_.substr(at_ + 1, 1)));
      return {};
    }
    if (take("?=")) {
      op = Op::kLook;
    } else if (take("?!")) {
      op = Op::kLook;
      negated = true;
    } else if (take("?<=") || take("?<!")) {
      op = Op::kBehind;
      negated = text_[at_ - 1] == '!';
    } else if (take("?>")) {
      op = Op::kAtomic;
    } else if (take("?i:")) {
      ignore_case = true;
    } else if (!take("?:") && at_ < text_.size() && text_[at_] == '?') {
      fail_unsupported("a group (?" + std::string(text_.substr(at_ + 1, 1)));
      return {};
    }
    Part body = alternatives(ignore_case, depth + 1);
    if (status_ && !take(')')) fail_invalid("a group that is not closed");
    if (!status_ || op == Op::kJump) return body;
    Part out;
    if (op == Op::kBehind) {
      if (body.code.size() != 1 || body.code[0].op != Op::kSet) {
        fail_unsupported("a look-behind of more than one character");
        return {};
      }
      out.code.push_back({.op = op, .negated = negated, .set = body.code[0].set});
      return out;
    }
    out.code.push_back({.op = op, .negated = negated});
    append(out.code, body.code);
    out.code.push_back({Op::kMatch});
    out.code[0].first = size_of(out.code);
    if (op == Op::kAtomic) out.least = body.least;
    return out;
  }

  /// RE2's groups that stand for what they do here too.
  bool is_re2_group() const {
    const std::string_view rest = text_.substr(at_);
    return rest.starts_with("?:") || rest.starts_with("?i:");
  }

  Part repeated(Part item) {
    std::uint32_t min = 0;
    std::uint32_t max = 0;
    while (status_ && quantifier(min, max)) {
      char mode = 'g';
      if (take('?'))
        mode = 'l';
      else if (!re2_ && take('+'))
        mode = 'p';
      if (re2_ && at_ < text_.size() &&
          std::string_view("*+?").find(text_[at_]) != std::string_view::npos) {
        fail_invalid("a repeat of a repeat");
        return item;
      }
      item = repeat(std::move(item), min, max, mode);
    }
    return item;
  }

  Part repeat(Part item, std::uint32_t min, std::uint32_t max, char mode) {
    Part out;
    if (item.code.size() == 1 && item.code[0].op == Op::kSet) {
      out.code.push_back(
          {.op = Op::kLoop, .mode = mode, .set = item.code[0].set, .min = min, .max = max});
      out.least = min;
      return out;
    }
    if (item.least == 0) {
      fail_unsupported("a repeat of what may be empty");
      return {};
    }
    const std::uint32_t copies = max == kMany ? min + 1 : max;
    if (copies > Regex::kInstructionsMax || copies * item.code.size() > Regex::kInstructionsMax) {
      fail_invalid("a pattern that is too large");
      return {};
    }
    for (std::uint32_t i = 0; i < min; ++i) append(out.code, item.code);
    const auto split = [&](std::uint32_t in, std::uint32_t past) {
      const bool lazy = mode == 'l';
      return Instruction{.op = Op::kSplit, .first = lazy ? past : in, .second = lazy ? in : past};
    };
    if (max == kMany) {
      const std::uint32_t begin = size_of(out.code);
      out.code.push_back(split(begin + 1, begin + size_of(item.code) + 2));
      append(out.code, item.code);
      out.code.push_back({.op = Op::kJump, .first = begin});
    } else {
      const std::uint32_t end = size_of(out.code) + (max - min) * (size_of(item.code) + 1);
      for (std::uint32_t i = min; i < max; ++i) {
        out.code.push_back(split(size_of(out.code) + 1, end));
        append(out.code, item.code);
      }
    }
    out.least = std::min<std::size_t>(item.least * min, 1 << 20);
    if (mode != 'p') return out;
    Part atomic;
    atomic.code.push_back({Op::kAtomic});
    append(atomic.code, out.code);
    atomic.code.push_back({Op::kMatch});
    atomic.code[0].first = size_of(atomic.code);
    atomic.least = out.least;
    return atomic;
  }

  bool quantifier(std::uint32_t& min, std::uint32_t& max) {
    if (take('*')) return min = 0, max = kMany, true;
    if (take('+')) return min = 1, max = kMany, true;
    if (take('?')) return min = 0, max = 1, true;
    if (at_ >= text_.size() || text_[at_] != '{') return false;
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) {
      fail_invalid("a '{' that is not closed");
      return false;
    }
    const auto parts = split(text_.substr(at_ + 1, end - at_ - 1), ',');
    const auto low = parts[0].empty() && parts.size() == 2 ? 0 : parse_u64(parts[0]);
    const auto high = parts.size() == 1  ? low
                      : parts[1].empty() ? std::optional<std::uint64_t>(kMany)
                                         : parse_u64(parts[1]);
    if (parts.size() > 2 || !low || !high || *low > *high || *high > kMany || *low > 1000 ||
        (*high > 1000 && *high != kMany)) {
      fail_invalid("a repeat count that cannot be");
      return false;
    }
    min = static_cast<std::uint32_t>(*low);
    max = static_cast<std::uint32_t>(*high);
    at_ = end + 1;
    return true;
  }

  /// After the '[' of a set.
  CharacterSet bracket(bool ignore_case) {
    CharacterSet out;
    const bool negated = take('^');
    for (bool first = true; status_; first = false) {
      if (at_ >= text_.size()) {
        fail_invalid("a set that is not closed");
        break;
      }
      if (!first && take(']')) break;
      if (re2_ && text_.substr(at_).starts_with("[:")) {
        named_class(out);
        continue;
      }
      if (!re2_ && (text_[at_] == '[' || text_.substr(at_).starts_with("&&"))) {
        fail_unsupported("a set inside a set");
        break;
      }
      member(out);
    }
    out.close(negated, ignore_case);
    return out;
  }

  /// At [:name:] or [:^name:] inside a set.
  void named_class(CharacterSet& out) {
    const std::size_t end = text_.find(":]", at_);
    std::string_view name =
        end == std::string_view::npos ? "" : text_.substr(at_ + 2, end - at_ - 2);
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    const std::string_view ranges = ascii_class(name);
    if (ranges.empty()) return fail_invalid("a class [:" + printable(name, 32) + ":]");
    at_ = end + 2;
    add_ascii(out, ranges, negated);
  }

  /// First and last of each range, in order and apart; empty for another name.
  static std::string_view ascii_class(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
        {"alnum", "09AZaz"},
        {"alpha", "AZaz"},
        {"ascii", {"\0\x7f", 2}},
        {"blank", "\t\t  "},
        {"cntrl", {"\0\x1f\x7f\x7f", 4}},
        {"digit", "09"},
        {"graph", "!~"},
        {"lower", "az"},
        {"print", " ~"},
        {"punct", "!/:@[`{~"},
        {"space", "\t\r  "},
        {"upper", "AZ"},
        {"word", "09AZ__az"},
        {"xdigit", "09AFaf"},
    };
    for (const auto& [known, ranges] : kClasses) {
      if (known == name) return ranges;
    }
    return {};
  }

  static void add_ascii(CharacterSet& out, std::string_view ranges, bool negated) {
    char32_t next = 0;  // the first that no range before has
    for (std::size_t i = 0; i < ranges.size(); i += 2) {
      const auto first = static_cast<char32_t>(static_cast<unsigned char>(ranges[i]));
      const auto last = static_cast<char32_t>(static_cast<unsigned char>(ranges[i + 1]));
      if (!negated) out.add_range(first, last);
      if (negated && first > next) out.add_range(next, first - 1);
      next = last + 1;
    }
    if (negated) out.add_range(next, kBadByte + 0xFF);
  }

  void member(CharacterSet& out) {
    char32_t first = 0;
    if (text_[at_] == '\\') {
      const auto c = escape(out, false);
      if (!c) return;  // a class such as \s
      first = *c;
    } else {
      first = character();
    }
    char32_t last = first;
    const bool range = at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']';
    if (range) {
      ++at_;
      if (text_[at_] == '\\') {
        const auto c = escape(out, false);
        if (!c) return fail_invalid("a range that ends in a class");
        last = *c;
      } else {
        last = character();
      }
    }
    if (last < first) return fail_invalid("a range that runs backwards");
    out.add_range(first, last);
  }

  char32_t character() {
    const Character c = decode_utf8(text_, at_);
    at_ += c.bytes;
    return c.code;
  }

  /// At a '\': adds what it stands for, or returns it where it is one character and `add` is off.
  std::optional<char32_t> escape(CharacterSet& out, bool add = true) {
    ++at_;
    if (at_ >= text_.size()) {
      fail_invalid("a '\\' at the end");
      return std::nullopt;
    }
    const char letter = text_[at_];
    if (re2_ && std::string_view("sSdDwW").find(letter) != std::string_view::npos) {
      ++at_;
      const char lower = static_cast<char>(to_lower(static_cast<unsigned char>(letter)));
      // \s is without the vertical tab that [[:space:]] has.
      add_ascii(out, lower == 's' ? "\t\n\f\r  " : ascii_class(lower == 'd' ? "digit" : "word"),
                lower != letter);
      return std::nullopt;
    }
    switch (letter) {
      case 's':
      case 'S':
        ++at_;
        out.add_white_space(letter == 'S');
        return std::nullopt;
      case 'd':
      case 'D':
        ++at_;
        out.add_categories(category_mask("Nd"), letter == 'D');
        return std::nullopt;
      case 'w':
      case 'W':
        ++at_;
        out.add_categories(category_mask("L") | category_mask("M") | category_mask("Nd") |
                               category_mask("Nl") | category_mask("Pc"),
                           letter == 'W');
        return std::nullopt;
      case 'p':
      case 'P':
        ++at_;
        property(out, letter == 'P');
        return std::nullopt;
      default: break;
    }
    const auto c = plain_escape();
    if (c && add) out.add_range(*c, *c);
    return c;
  }

  std::optional<char32_t> plain_escape() {
    const char letter = text_[at_];
    if (static_cast<unsigned char>(letter) >= 0x80) return character();
    ++at_;
    switch (letter) {
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case 'f': return U'\f';
      case 'v': return U'\v';
      case 'x': return hex(2);
      case 'u': return hex(4);
      default: break;
    }
    const bool word = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                      (letter >= 'A' && letter <= 'Z');
    if (!word) return static_cast<char32_t>(letter);
    fail_unsupported(std::string("\\") + letter);
    return std::nullopt;
  }

  std::optional<char32_t> hex(std::size_t digits) {
    std::string_view text = text_.substr(at_, digits);
    std::size_t taken = digits;
    if (at_ < text_.size() && text_[at_] == '{') {
      const std::size_t end = text_.find('}', at_);
      text = end == std::string_view::npos ? "" : text_.substr(at_ + 1, end - at_ - 1);
      taken = text.size() + 2;
      digits = text.size();
    }
    char32_t value = 0;
    bool good = !text.empty() && text.size() == digits && digits <= 6;
    for (char c : text) {
      const char lower = static_cast<char>(to_lower(static_cast<unsigned char>(c)));
      const bool digit = c >= '0' && c <= '9';
      good = good && (digit || (lower >= 'a' && lower <= 'f'));
      if (good) value = value * 16 + static_cast<char32_t>(digit ? c - '0' : lower - 'a' + 10);
    }
    if (!good || value > 0x10FFFF) {
      fail_invalid("a character's number that cannot be");
      return std::nullopt;
    }
    at_ += taken;
    return value;
  }

  void property(CharacterSet& out, bool negated) {
    std::string_view name = text_.substr(at_, 1);
    std::size_t taken = name.size();
    if (name == "{") {
      const std::size_t end = text_.find('}', at_);
      name = end == std::string_view::npos ? "" : text_.substr(at_ + 1, end - at_ - 1);
      taken = name.size() + 2;
      if (name.starts_with('^')) {
        negated = !negated;
        name.remove_prefix(1);
      }
    }
    const CategoryMask mask = category_mask(name);
    if (mask == 0) return fail_unsupported("\\p{" + printable(name, 32) + "}");
    at_ += taken;
    out.add_categories(mask, negated);
  }

  Part of_set(CharacterSet set) {
    Part out;
    out.code.push_back({.op = Op::kSet, .set = static_cast<std::uint32_t>(out_.sets_.size())});
    out.least = 1;
    out_.sets_.push_back(std::move(set));
    return out;
  }

  static Part place(char letter) {
    Part out;
    out.code.push_back({.op = Op::kAssert, .mode = letter});
    return out;
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void check_size(const Code& code) {
    if (code.size() > Regex::kInstructionsMax) fail_invalid("a pattern that is too large");
  }
  std::string where() const {
    return " at byte " + std::to_string(at_) + " of '" + printable(text_) + "'";
  }
  void fail_invalid(const std::string& what) {
    if (status_) status_ = Error::invalid("[regex] pattern, got " + what + where());
  }
  void fail_unsupported(const std::string& what) {
    if (status_) status_ = Error::unsupported("[regex] pattern, got " + what + where());
  }

  std::string_view text_;
  bool re2_;
  std::size_t at_ = 0;
  Regex out_;
  Status status_;
};

Result<Regex> Regex::compile(std::string_view pattern, Syntax syntax) {
  if (pattern.size() > kPatternBytesMax) {
    return Error::invalid("[regex] pattern, got " + std::to_string(pattern.size()) +
                          " bytes, wanted at most " + std::to_string(kPatternBytesMax));
  }
  return RegexParser(pattern, syntax).parse();
}

}  // namespace polaris
