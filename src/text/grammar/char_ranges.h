#pragma once
#include <cstdint>
#include <vector>

namespace polaris::grammar {

struct CharRange {
  char32_t first = 0;
  char32_t last = 0;
  friend bool operator==(const CharRange&, const CharRange&) = default;
};
using CharRanges = std::vector<CharRange>;

/// The same characters in order and apart, of Unicode's scalar values alone: surrogates and what is
/// beyond U+10FFFF go.
CharRanges normalized(CharRanges ranges);
/// All scalar values that normalized ranges leave.
CharRanges complement(const CharRanges& ranges);
/// What both have, normalized.
CharRanges common(const CharRanges& a, const CharRanges& b);

/// Bytes that stand one after another: each of them within its range.
struct ByteSequence {
  struct Range {
    std::uint8_t first = 0;
    std::uint8_t last = 0;
  };
  Range bytes[4];
  int length = 0;
};
/// The UTF-8 of normalized ranges: sequences of which each matches other texts.
std::vector<ByteSequence> utf8_sequences(const CharRanges& ranges);

}  // namespace polaris::grammar
