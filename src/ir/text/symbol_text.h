#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace polaris {

/// A message of `infer` as its reader knows the dims: symbol k stands in it as "sk" (shapes know no
/// names), and becomes the name that the file gave it. Quoted names stay as they are.
std::string name_symbols(std::string_view message, const std::deque<Symbol>& symbols);

}  // namespace polaris
