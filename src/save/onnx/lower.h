#pragma once
#include "base/result.h"
#include "ir/graph.h"
#include "ir/op_set.h"

namespace polaris::onnx {

/// Puts what is ours alone in ONNX's terms, in the graph and all within it: ops of domain polaris
/// become the plain ops that define them, and what is decoded from a constant becomes the constant.
/// Errors: unsupported (states; ops that ONNX has no form for, named with their node).
Status lower(Graph& root, const OpSet& ops);

/// `[onnx] Op node 'x': cannot be written: why`.
Error cannot_write(const Node& node, std::string_view why);

}  // namespace polaris::onnx
