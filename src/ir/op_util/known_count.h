#pragma once
#include <cstdint>
#include <string_view>

#include "ir/op_def.h"

namespace polaris {

/// A scalar, or the one element of a list, that is known; unknown without it. Errors: invalid, of
/// another shape or below `low`.
Result<KnownInt> known_count(const InferContext& c, int i, std::string_view name, std::int64_t low);

}  // namespace polaris
