#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

/// SentencePiece's precompiled_charsmap: a double-array trie of strings and what each becomes. Any
/// bytes are safe to search.
class CharactersMap {
 public:
  /// Errors: invalid where the parts do not fit the bytes.
  static Result<CharactersMap> create(std::string_view blob);
  /// The text with the longest entry at each place replaced; malformed bytes become U+FFFD. Stops
  /// where the result is longer than `bytes_max`.
  std::string apply(std::string_view text, std::size_t bytes_max) const;

 private:
  /// Bytes of the longest entry at the front of `text`, 0 for none.
  std::size_t longest(std::string_view text, std::uint32_t& value) const;
  std::vector<std::uint32_t> units_;
  std::string replacements_;  // ended by NUL each
};

}  // namespace polaris
