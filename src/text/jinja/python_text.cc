#include "text/jinja/python_text.h"

#include <algorithm>
#include <utility>

#include "base/unicode.h"

namespace polaris::jinja {
namespace {

bool is_letter(char32_t code) {
  return code < 0x80 ? (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z')
                     : (category_of(code) & category_mask("L")) != 0;
}

/// Where the character that ends at `end` begins.
std::size_t before(std::string_view text, std::size_t end) {
  for (std::size_t back = 1; back <= 4 && back <= end; ++back) {
    if (decode_utf8(text, end - back).bytes == back) return end - back;
  }
  return end - 1;
}

bool is_line_end(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

/// Small letters whose large form is several characters.
struct LongUpper {
  char32_t code;
  std::string_view upper;
  std::string_view title;
};
constexpr LongUpper kLongUppers[] = {
    {0xDF, "SS", "Ss"},
    {0x149, "\xCA\xBCN", "\xCA\xBCN"},
    {0x1F0, "J\xCC\x8C", "J\xCC\x8C"},
    {0xFB00, "FF", "Ff"},
    {0xFB01, "FI", "Fi"},
    {0xFB02, "FL", "Fl"},
    {0xFB03, "FFI", "Ffi"},
    {0xFB04, "FFL", "Ffl"},
    {0xFB05, "ST", "St"},
    {0xFB06, "ST", "St"},
};

void append_large(std::string& out, char32_t code, bool title) {
  for (const LongUpper& row : kLongUppers) {
    if (row.code == code) {
      out += title ? row.title : row.upper;
      return;
    }
  }
  append_utf8(out, to_upper(code));
}

constexpr char32_t kSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kDottedI = 0x130;

/// `word_ends`: no letter follows; `word_goes_on`: one stands before.
void append_small(std::string& out, char32_t code, bool word_goes_on, bool word_ends) {
  if (code == kSigma && word_goes_on && word_ends) return append_utf8(out, kFinalSigma);
  if (code == kDottedI) out += "i\xCC\x87";
  if (code != kDottedI) append_utf8(out, to_lower(code));
}

enum class Size : std::uint8_t { kSmall, kLarge, kTitle };

/// Each character in the size that `size_of(whether a letter stands before)` wants.
template <class SizeOf>
std::string sized(std::string_view text, const SizeOf& size_of) {
  std::string out;
  out.reserve(text.size());
  bool after_letter = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    at += c.bytes;
    const Size size = size_of(after_letter);
    if (size == Size::kSmall) {
      const bool ends = at >= text.size() || !is_letter(decode_utf8(text, at).code);
      append_small(out, c.code, after_letter, ends);
    } else {
      append_large(out, c.code, size == Size::kTitle);
    }
    after_letter = is_letter(c.code);
  }
  return out;
}

}  // namespace

bool is_space(char32_t code) {
  return code < 0x110000 && ((code >= 0x1C && code <= 0x1F) || is_white_space(code));
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += decode_utf8(text, at).bytes;
  return count;
}

std::size_t byte_of(std::string_view text, std::size_t character) {
  std::size_t at = 0;
  for (; character > 0 && at < text.size(); --character) at += decode_utf8(text, at).bytes;
  return at;
}

std::string_view strip_left(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Character c = decode_utf8(text, at);
    if (!is_space(c.code)) break;
    at += c.bytes;
  }
  return text.substr(at);
}

std::string_view strip_right(std::string_view text) {
  while (!text.empty()) {
    const std::size_t at = before(text, text.size());
    if (!is_space(decode_utf8(text, at).code)) break;
    text = text.substr(0, at);
  }
  return text;
}

std::string_view strip_characters(std::string_view text, std::string_view characters, bool left,
                                  bool right) {
  std::u32string set;
  for (std::size_t at = 0; at < characters.size();) {
    const Character c = decode_utf8(characters, at);
    set += c.code;
    at += c.bytes;
  }
  std::sort(set.begin(), set.end());
  const auto in_set = [&](char32_t c) { return std::binary_search(set.begin(), set.end(), c); };
  while (left && !text.empty()) {
    const Character c = decode_utf8(text, 0);
    if (!in_set(c.code)) break;
    text.remove_prefix(c.bytes);
  }
  while (right && !text.empty()) {
    const std::size_t at = before(text, text.size());
    if (!in_set(decode_utf8(text, at).code)) break;
    text = text.substr(0, at);
  }
  return text;
}

std::size_t find_text(std::string_view text, std::string_view what, std::size_t from) {
  // A short needle costs no more than its length at each place.
  if (what.size() <= 16) return text.find(what, from);
  if (from > text.size() || text.size() - from < what.size()) return std::string_view::npos;
  // Knuth, Morris and Pratt: where to go on in `what` after a difference.
  std::vector<std::size_t> back(what.size(), 0);
  for (std::size_t i = 1, k = 0; i < what.size(); ++i) {
    while (k > 0 && what[i] != what[k]) k = back[k - 1];
    if (what[i] == what[k]) ++k;
    back[i] = k;
  }
  for (std::size_t i = from, k = 0; i < text.size(); ++i) {
    while (k > 0 && text[i] != what[k]) k = back[k - 1];
    if (text[i] == what[k]) ++k;
    if (k == what.size()) return i + 1 - k;
  }
  return std::string_view::npos;
}

std::size_t count_text(std::string_view text, std::string_view what, std::int64_t most) {
  std::size_t count = 0;
  for (std::size_t at = 0; most < 0 || static_cast<std::int64_t>(count) < most; ++count) {
    at = find_text(text, what, at);
    if (at == std::string_view::npos) break;
    at += what.size();
  }
  return count;
}

std::size_t find_last_text(std::string_view text, std::string_view what) {
  if (what.size() <= 16) return text.rfind(what);
  const std::string reversed(text.rbegin(), text.rend());
  const std::size_t at = find_text(reversed, std::string(what.rbegin(), what.rend()));
  return at == std::string_view::npos ? at : text.size() - at - what.size();
}

std::string lower_text(std::string_view text) {
  return sized(text, [](bool) { return Size::kSmall; });
}

std::string upper_text(std::string_view text) {
  return sized(text, [](bool) { return Size::kLarge; });
}

std::string capital_text(std::string_view text) {
  bool first = true;
  return sized(text,
               [&](bool) { return std::exchange(first, false) ? Size::kTitle : Size::kSmall; });
}

std::string title_text(std::string_view text) {
  return sized(text, [](bool inside) { return inside ? Size::kSmall : Size::kTitle; });
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    const std::size_t end = at;
    at += c.bytes;
    if (!is_line_end(c.code)) continue;
    if (c.code == '\r' && at < text.size() && text[at] == '\n') ++at;
    out.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) out.push_back(text.substr(start));
  return out;
}

std::vector<std::string_view> split_spaces(std::string_view text, std::int64_t count,
                                           bool from_right) {
  std::vector<std::string_view> out;
  text = from_right ? strip_right(text) : strip_left(text);
  while (!text.empty()) {
    if (count >= 0 && static_cast<std::int64_t>(out.size()) == count) {
      out.push_back(from_right ? strip_right(text) : text);
      break;
    }
    if (from_right) {
      std::size_t at = text.size();
      while (at > 0) {
        const std::size_t start = before(text, at);
        if (is_space(decode_utf8(text, start).code)) break;
        at = start;
      }
      out.push_back(text.substr(at));
      text = strip_right(text.substr(0, at));
    } else {
      std::size_t at = 0;
      while (at < text.size()) {
        const Character c = decode_utf8(text, at);
        if (is_space(c.code)) break;
        at += c.bytes;
      }
      out.push_back(text.substr(0, at));
      text = strip_left(text.substr(at));
    }
  }
  if (from_right) std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string_view> split_text(std::string_view text, std::string_view separator,
                                         std::int64_t count, bool from_right) {
  std::vector<std::size_t> cuts;
  const auto find_cuts = [&](std::string_view in, std::string_view what) {
    for (std::size_t at = 0; count < 0 || static_cast<std::int64_t>(cuts.size()) < count;) {
      at = find_text(in, what, at);
      if (at == std::string_view::npos) break;
      cuts.push_back(at);
      at += what.size();
    }
  };
  if (from_right) {
    find_cuts(std::string(text.rbegin(), text.rend()),
              std::string(separator.rbegin(), separator.rend()));
    for (std::size_t& cut : cuts) cut = text.size() - cut - separator.size();
    std::reverse(cuts.begin(), cuts.end());
  } else {
    find_cuts(text, separator);
  }
  std::vector<std::string_view> out;
  std::size_t start = 0;
  for (const std::size_t cut : cuts) {
    out.push_back(text.substr(start, cut - start));
    start = cut + separator.size();
  }
  out.push_back(text.substr(start));
  return out;
}

}  // namespace polaris::jinja
