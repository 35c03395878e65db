#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polaris::jinja {

// What Python's str does, on UTF-8. Indices are bytes unless they are said to be characters.

/// Python's str.isspace of a character.
bool is_space(char32_t code);
std::size_t count_characters(std::string_view text);
/// Where the character of that number begins; the end where there are fewer.
std::size_t byte_of(std::string_view text, std::size_t character);
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
/// Without any of `characters` at the ends asked for.
std::string_view strip_characters(std::string_view text, std::string_view characters, bool left,
                                  bool right);
/// As std::string_view::find, in time linear in both.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from = 0);
/// How often it is there, without overlaps, at most `most` times where that is not negative.
std::size_t count_text(std::string_view text, std::string_view what, std::int64_t most);
std::size_t find_last_text(std::string_view text, std::string_view what);

std::string lower_text(std::string_view text);
std::string upper_text(std::string_view text);
/// The first character large, the others small.
std::string capital_text(std::string_view text);
/// str.title: the first of each run of letters large.
std::string title_text(std::string_view text);
/// Lines without their ends, at every end that Python knows.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
/// Parts between white space; `count` cuts at most where it is not negative, from the right end
/// where asked.
std::vector<std::string_view> split_spaces(std::string_view text, std::int64_t count,
                                           bool from_right);
std::vector<std::string_view> split_text(std::string_view text, std::string_view separator,
                                         std::int64_t count, bool from_right);

}  // namespace polaris::jinja
