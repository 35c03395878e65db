#pragma once
#include <functional>

#include "pass/editor.h"

namespace polaris {

/// Evaluates nodes whose inputs are constants, or whose results shape arithmetic gives, and that
/// `wanted` lets through; their results become constants. Results that are much larger than what
/// they are made from stay nodes.
Result<bool> fold_nodes(Graph& graph, const OpSet& ops,
                        const std::function<bool(const Node&)>& wanted);

}  // namespace polaris
