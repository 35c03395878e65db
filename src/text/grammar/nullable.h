#pragma once
#include <vector>

#include "text/grammar/rules.h"

namespace polaris::grammar {

/// For each expression whether it may match nothing. Takes time in proportion to the rules' size.
std::vector<bool> find_nullable(const Rules& rules);

}  // namespace polaris::grammar
