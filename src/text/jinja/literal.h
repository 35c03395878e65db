#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polaris::jinja {

struct NumberLiteral {
  std::size_t bytes = 0;  // 0: there is none, or none that fits
  bool is_real = false;
  std::int64_t integer = 0;
  double real = 0;
};

/// The number at the front of `text`: 12, 1_000, 0x1F, 0b1, 0o7; 1.5 and 2e3 where `may_be_real`.
NumberLiteral read_number(std::string_view text, bool may_be_real);

/// A text between its quotes with Python's escapes taken; nothing where one is malformed.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace polaris::jinja
