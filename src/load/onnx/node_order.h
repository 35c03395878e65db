#pragma once
#include <vector>

#include "base/result.h"
#include "load/onnx/proto.h"

namespace polaris::onnx {

/// The nodes that the graph's outputs need, each after those whose results it reads: in the file's
/// order wherever that will do. A node that nothing needs is not looked at, but for its outputs'
/// names. Errors: invalid where a name is defined twice or a node needs its own result.
Result<std::vector<const NodeDef*>> nodes_in_order(const GraphDef& def);

}  // namespace polaris::onnx
