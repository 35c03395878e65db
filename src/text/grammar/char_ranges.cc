#include "text/grammar/char_ranges.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace polaris::grammar {
namespace {

constexpr char32_t kLast = 0x10FFFF;
constexpr char32_t kSurrogates = 0xD800;
constexpr char32_t kBeforeSurrogates = 0xD7FF;
constexpr char32_t kSurrogatesEnd = 0xE000;

int encode(char32_t code, std::uint8_t* out) {
  if (code < 0x80) {
    out[0] = static_cast<std::uint8_t>(code);
    return 1;
  }
  const int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (int i = length - 1; i > 0; --i, code >>= 6) {
    out[i] = static_cast<std::uint8_t>(0x80 | (code & 0x3F));
  }
  constexpr std::uint8_t kMarks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out[0] = static_cast<std::uint8_t>(kMarks[length] | code);
  return length;
}

/// A range within which all have one length: cut until bytes behind a byte that varies vary whole.
void add_sequences(char32_t first, char32_t last, std::vector<ByteSequence>& out) {
  ByteSequence sequence;
  std::uint8_t low[4];
  std::uint8_t high[4];
  sequence.length = encode(first, low);
  encode(last, high);
  for (int i = 1; i < sequence.length; ++i) {
    const char32_t whole = (char32_t{1} << (6 * i)) - 1;  // what i bytes at the end say
    if ((first & ~whole) == (last & ~whole)) continue;
    if ((first & whole) != 0) {
      add_sequences(first, first | whole, out);
      add_sequences((first | whole) + 1, last, out);
      return;
    }
    if ((last & whole) != whole) {
      add_sequences(first, (last & ~whole) - 1, out);
      add_sequences(last & ~whole, last, out);
      return;
    }
  }
  for (int i = 0; i < sequence.length; ++i) sequence.bytes[i] = {low[i], high[i]};
  out.push_back(sequence);
}

}  // namespace

CharRanges normalized(CharRanges ranges) {
  CharRanges whole;
  for (auto [first, last] : ranges) {
    last = std::min(last, kLast);
    if (first > last) continue;
    if (first < kSurrogates) whole.push_back({first, std::min(last, kBeforeSurrogates)});
    if (last >= kSurrogatesEnd) whole.push_back({std::max(first, kSurrogatesEnd), last});
  }
  std::sort(whole.begin(), whole.end(),
            [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
  CharRanges out;
  for (const CharRange& range : whole) {
    // Kept apart at the surrogates, since what is between them is no character.
    const bool joined = !out.empty() && range.first <= out.back().last + 1;
    if (joined) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CharRanges complement(const CharRanges& ranges) {
  CharRanges out;
  char32_t next = 0;
  for (const CharRange& range : ranges) {
    if (range.first > next) out.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) out.push_back({next, kLast});
  return normalized(std::move(out));
}

CharRanges common(const CharRanges& a, const CharRanges& b) {
  CharRanges out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const char32_t first = std::max(a[i].first, b[j].first);
    const char32_t last = std::min(a[i].last, b[j].last);
    if (first <= last) out.push_back({first, last});
    a[i].last < b[j].last ? ++i : ++j;
  }
  return out;
}

std::vector<ByteSequence> utf8_sequences(const CharRanges& ranges) {
  std::vector<ByteSequence> out;
  constexpr char32_t kEnds[] = {0x7F, 0x7FF, 0xFFFF, kLast};  // of 1, 2, 3 and 4 bytes
  for (auto [first, last] : ranges) {
    for (const char32_t end : kEnds) {
      if (first > end) continue;
      add_sequences(first, std::min(last, end), out);
      if (last <= end) break;
      first = end + 1;
    }
  }
  return out;
}

}  // namespace polaris::grammar
