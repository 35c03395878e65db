#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace polaris {

/// A malformed byte is a character of its own, of no class: this plus the byte.
inline constexpr char32_t kBadByte = 0x110000;

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;
};

/// The character at `at` (inside the text).
Character decode_utf8(std::string_view text, std::size_t at);
/// Appends a code point, or the byte that a kBadByte character stands for.
void append_utf8(std::string& out, char32_t code);

/// A set of Unicode's general categories, one bit each.
using CategoryMask = std::uint32_t;
/// The categories of a name such as "L" or "Lu"; 0 for any other name.
CategoryMask category_mask(std::string_view name);
/// The bit of a character's category; a malformed byte has one that no name stands for.
CategoryMask category_of(char32_t code);

/// Unicode's White_Space.
bool is_white_space(char32_t code);
/// As BERT has it: any P*, and every ASCII sign that is no letter, digit or space.
bool is_word_punctuation(char32_t code);
/// The ideographs that BERT takes one by one.
bool is_ideograph(char32_t code);
/// Simple case mapping of one character.
char32_t to_lower(char32_t code);
char32_t to_upper(char32_t code);

enum class NormalForm : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd };
/// The text in a normal form; malformed bytes stay as they are. Linear but for the sorting of runs
/// of combining marks.
std::string normalize(std::string_view text, NormalForm form);

}  // namespace polaris
