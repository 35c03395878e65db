#include "base/regex.h"

#include <algorithm>

namespace polaris {
namespace {

using Instruction = Regex::Instruction;
using Op = Instruction::Op;

class Matcher {
 public:
  Matcher(std::span<const Instruction> program, std::span<const CharacterSet> sets,
          Regex::Syntax syntax, std::span<const char32_t> text, std::int64_t& budget)
      : program_(program),
        sets_(sets),
        re2_(syntax == Regex::Syntax::kRe2),
        text_(text),
        budget_(budget) {}

  bool matches_all() { return run(0, 0, true).has_value(); }

  /// Where a match that begins at `at` ends, for the part of the program at `pc`; `whole`: one that
  /// ends where the text does.
  std::optional<std::size_t> run(std::uint32_t pc, std::size_t at, bool whole = false) {
    const std::size_t base = ways_.size();
    bool alive = true;
    while (budget_-- > 0) {
      if (!alive) {
        if (ways_.size() == base) return std::nullopt;
        alive = resume(pc, at);
        continue;
      }
      const Instruction& in = program_[pc];
      if (in.op == Op::kMatch) {
        if (whole && at < text_.size()) {
          alive = false;
          continue;
        }
        ways_.resize(base);
        return at;
      }
      alive = step(in, pc, at);
    }
    ways_.resize(base);
    return std::nullopt;
  }

 private:
  /// A place to go on from where what follows has failed.
  struct Way {
    std::uint32_t pc;  // after the loop or at the other branch
    std::size_t at;
    std::size_t limit;  // greedy: how far back; lazy: how far on
    const CharacterSet* lazy;
  };

  bool resume(std::uint32_t& pc, std::size_t& at) {
    Way& way = ways_.back();
    pc = way.pc;
    at = way.at;
    if (way.lazy != nullptr) {
      if (at >= way.limit || !way.lazy->has(text_[at])) {
        ways_.pop_back();
        return false;
      }
      way.at = ++at;
      return true;
    }
    if (at > way.limit) {
      --way.at;
    } else {
      ways_.pop_back();
    }
    return true;
  }

  bool step(const Instruction& in, std::uint32_t& pc, std::size_t& at) {
    switch (in.op) {
      case Op::kSet:
        if (at >= text_.size() || !sets_[in.set].has(text_[at])) return false;
        ++at;
        ++pc;
        return true;
      case Op::kLoop: return loop(in, pc, at);
      case Op::kSplit:
        ways_.push_back({in.second, at, at, nullptr});
        pc = in.first;
        return true;
      case Op::kJump: pc = in.first; return true;
      case Op::kAtomic: {
        const auto end = run(pc + 1, at);
        if (!end) return false;
        at = *end;
        pc = in.first;
        return true;
      }
      case Op::kLook:
        if (run(pc + 1, at).has_value() == in.negated) return false;
        pc = in.first;
        return true;
      case Op::kBehind:
        if ((at > 0 && sets_[in.set].has(text_[at - 1])) == in.negated) return false;
        ++pc;
        return true;
      case Op::kAssert:
        if (!holds(in, at)) return false;
        ++pc;
        return true;
      case Op::kMatch: break;
    }
    return false;
  }

  bool loop(const Instruction& in, std::uint32_t& pc, std::size_t& at) {
    const CharacterSet& set = sets_[in.set];
    const std::size_t room = text_.size() - at;
    const std::size_t least = at + in.min;
    const std::size_t most = at + std::min<std::size_t>(in.max, room);
    if (in.min > room) return false;
    const std::size_t wanted = in.mode == 'l' ? least : most;
    std::size_t end = at;
    while (end < wanted && set.has(text_[end])) ++end;
    budget_ -= static_cast<std::int64_t>(end - at);
    if (end < least) return false;
    at = end;
    ++pc;
    if (in.mode == 'l' && end < most) ways_.push_back({pc, end, most, &set});
    if (in.mode == 'g' && end > least) ways_.push_back({pc, end - 1, least, nullptr});
    return true;
  }

  bool is_word(std::size_t at) const {
    if (re2_) {
      const char32_t c = at < text_.size() ? text_[at] : U' ';
      return c == U'_' || (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z') ||
             (c >= U'A' && c <= U'Z');
    }
    static const CategoryMask kWord = category_mask("L") | category_mask("M") |
                                      category_mask("Nd") | category_mask("Nl") |
                                      category_mask("Pc");
    return at < text_.size() && (category_of(text_[at]) & kWord) != 0;
  }

  bool holds(const Instruction& in, std::size_t at) const {
    switch (in.mode) {
      case 'A': return at == 0;
      case 'z': return at == text_.size();
      case '^': return at == 0 || (!re2_ && text_[at - 1] == '\n');
      case '$': return at == text_.size() || (!re2_ && text_[at] == '\n');
      default: break;
    }
    const bool edge = (at > 0 && is_word(at - 1)) != is_word(at);
    return edge == (in.mode == 'b');
  }

  std::span<const Instruction> program_;
  std::span<const CharacterSet> sets_;
  bool re2_;
  std::span<const char32_t> text_;
  std::int64_t& budget_;
  std::vector<Way> ways_;
};

}  // namespace

Result<Regex::Match> Regex::find(std::span<const char32_t> text, std::size_t from,
                                 std::int64_t& budget) const {
  Matcher matcher(program_, sets_, syntax_, text, budget);
  for (std::size_t at = from; at < text.size(); ++at) {
    const auto end = matcher.run(0, at);
    if (budget <= 0) {
      return Error::exhausted("[regex] steps, got a text that the pattern takes too long over");
    }
    if (end && *end > at) return Match{at, *end};
  }
  return Match{text.size(), text.size()};
}

Result<bool> Regex::matches(std::span<const char32_t> text, std::int64_t& budget) const {
  const bool found = Matcher(program_, sets_, syntax_, text, budget).matches_all();
  if (budget > 0) return found;
  return Error::exhausted("[regex] steps, got a text that the pattern takes too long over");
}

}  // namespace polaris
