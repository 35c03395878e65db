#pragma once
#include <string_view>
#include <vector>

#include "ir/op_def.h"

namespace polaris {

/// Attributes that a file has to say, because ONNX gives them no default; those of the newest
/// op-set. Bodies of control flow are subgraphs here and no attributes.
std::vector<std::string_view> required_attrs(const OpDef& op);

}  // namespace polaris
