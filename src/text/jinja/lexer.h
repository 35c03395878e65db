#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris::jinja {

enum class TokenKind : std::uint8_t {
  kData,  // text of the template as it is
  kPrintBegin,
  kPrintEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kText,  // a literal, without quotes and escapes
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  int line = 1;
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
};

/// For messages: "'endif'", "the end of the tag".
std::string token_name(const Token& token);

/// A template's tokens, white space controlled as transformers sets it: a line end after a tag goes
/// (trim_blocks), white space before one at the beginning of a line, too (lstrip_blocks). The last
/// token is kEnd. Errors: invalid, with the line.
Result<std::vector<Token>> read_tokens(std::string_view source);

/// `[chat template] line N, what`.
Error template_error(int line, const std::string& what);

}  // namespace polaris::jinja
