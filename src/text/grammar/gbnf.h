#pragma once
#include <string_view>

#include "base/result.h"
#include "text/grammar/rules.h"

namespace polaris::grammar {

/// A grammar as llama.cpp writes it: `name ::= "text" [a-z^] . (group) name* + ? {m,n} | ... #
/// note`. Errors: invalid, with the line (not GBNF; a rule that is missing or there twice; no
/// `root`); exhausted (larger than Limits); unsupported (`<token>`).
Result<RuleId> read_gbnf(std::string_view text, Rules& rules);

}  // namespace polaris::grammar
