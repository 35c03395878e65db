#pragma once
#include "ir/op_def.h"

/// Ops that change a tensor's shape and not its bytes.
namespace polaris {

inline constexpr InPlace kViewInPlace[] = {{0, 0}};

/// Output 0 is all of input 0.
std::optional<ViewOf> view_all(const NodeTypes& n, int output);
/// Copies the bytes of input 0 to output 0.
Status copy_reference(RefContext& c);

}  // namespace polaris
