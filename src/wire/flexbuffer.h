#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "base/result.h"

namespace polaris {

/// The numbers and bools of a FlexBuffer (flatbuffers.dev, "FlexBuffers") whose root is a map, by
/// key; values of other kinds are left out. Errors, without a prefix: invalid where the root is no
/// map, or an offset or size leads outside.
Result<std::map<std::string, double, std::less<>>> read_flex_numbers(
    std::span<const std::byte> bytes);

}  // namespace polaris
