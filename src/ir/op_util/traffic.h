#pragma once
#include "ir/op_def.h"

namespace polaris {

/// Bytes that `elements` of a type take, in its encoding.
std::int64_t bytes_of_elements(const TensorType& type, std::int64_t elements);

/// OpDef::bytes of an op that reads as much of input 0 as its output holds, and all of input 1.
std::int64_t gathered_bytes(const NodeTypes& types);

}  // namespace polaris
