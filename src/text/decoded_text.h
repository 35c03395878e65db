#pragma once
#include <string_view>
#include <vector>

#include "base/unicode.h"

namespace polaris {

/// A text as characters, and where each begins; `offsets` has one more for the end.
struct DecodedText {
  std::vector<char32_t> codes;
  std::vector<std::size_t> offsets;

  explicit DecodedText(std::string_view text) {
    codes.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
      const Character c = decode_utf8(text, at);
      codes.push_back(c.code);
      offsets.push_back(at);
      at += c.bytes;
    }
    offsets.push_back(text.size());
  }
};

}  // namespace polaris
