#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/character_set.h"
#include "base/result.h"

namespace polaris {

/// A regular expression over Unicode characters, as tokenizers split text with it: alternatives in
/// order, sets with \p{..}, groups, greedy, lazy and possessive repeats, (?i), look-ahead,
/// look-behind of one character, atomic groups, ^ $ \b \A \z. A search takes steps from a budget,
/// so that no pattern takes long over any text.
class Regex {
 public:
  enum class Syntax : std::uint8_t {
    kTokenizer,  // as above: \s \d \w \b of Unicode, ^ and $ at lines
    // As RE2 has it: \s \d \w \b of ASCII, [[:alpha:]] and its like, ^ and $ at the text's ends
    // alone, and none of possessive, atomic, look-ahead and look-behind.
    kRe2,
  };
  /// Errors: invalid (not a pattern, or too large); unsupported (back references, properties other
  /// than general categories, a repeat of what may be empty ...).
  static Result<Regex> compile(std::string_view pattern, Syntax syntax = Syntax::kTokenizer);

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  /// The first match that is not empty at or after `from`; begin = end = text.size() where there is
  /// none. Errors: exhausted where `budget` runs out.
  Result<Match> find(std::span<const char32_t> text, std::size_t from, std::int64_t& budget) const;

  /// Whether the whole text is a match. Errors: exhausted where `budget` runs out.
  Result<bool> matches(std::span<const char32_t> text, std::int64_t& budget) const;

  static constexpr std::size_t kPatternBytesMax = 1 << 14;
  static constexpr std::size_t kInstructionsMax = 1 << 13;
  static constexpr int kDepthMax = 32;

  struct Instruction {
    enum class Op : std::uint8_t {
      kSet,     // one character of `set`
      kLoop,    // `min` to `max` of `set`, and `mode`
      kSplit,   // go on at `first`, and at `second` where that fails
      kJump,    // to `first`
      kAtomic,  // what stands up to `first`, without a way back
      kLook,    // what stands up to `first` matches ahead, or does not (`negated`)
      kBehind,  // the character before is of `set`, or is not (`negated`)
      kAssert,  // a place: `mode` is its letter
      kMatch,
    } op;
    bool negated = false;
    char mode = 'g';  // kLoop: g(reedy), l(azy), p(ossessive); kAssert: ^ $ b B A z
    std::uint32_t set = 0;
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::uint32_t min = 0;
    std::uint32_t max = 0;
  };

 private:
  friend class RegexParser;
  std::vector<Instruction> program_;
  std::vector<CharacterSet> sets_;
  Syntax syntax_ = Syntax::kTokenizer;
};

}  // namespace polaris
