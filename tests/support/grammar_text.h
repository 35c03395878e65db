#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "text/grammar/grammar.h"

namespace polaris::test {

/// A grammar of GBNF that must be right.
std::shared_ptr<const grammar::Grammar> grammar_of(std::string_view gbnf);

/// Whether a text is one of the grammar's; fails the test where there are too many ways to read it.
bool takes(const std::shared_ptr<const grammar::Grammar>& grammar, std::string_view text);

/// Why a GBNF is refused, which must be.
std::string grammar_refusal(std::string_view gbnf);

bool holds(std::string_view text, std::string_view part);

}  // namespace polaris::test
