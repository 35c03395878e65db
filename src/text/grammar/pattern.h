#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "text/grammar/json_text.h"

namespace polaris::grammar {

/// Texts that a regular expression is found in, as they stand between JSON's quotes.
struct PatternText {
  ExprId body = 0;
  std::uint32_t min = 0;  // characters
  std::uint32_t max = 0;  // kMany: without end
};

/// Of ECMA-262's regular expressions what is regular: alternatives, groups, sets, escapes, repeats;
/// ^ and $ at the ends of the pattern's own alternatives. Errors: invalid (no pattern), unsupported
/// (looks around, back references, \b, \p, anchors elsewhere), exhausted.
Result<PatternText> read_pattern(std::string_view pattern, JsonText& json);

}  // namespace polaris::grammar
