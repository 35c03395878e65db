#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

/// Elements as a person writes them, in text form and JSON.
namespace polaris {

/// Stores a number as element `index`; false where the type has no place for it: an integer that it
/// does not hold, an infinity or NaN that it lacks, or what would become one by its size in a small
/// type. Floats are rounded once. float8_e8m0fnu rounds up.
bool store_number(DType dtype, std::byte* data, std::int64_t index, std::int64_t value);
bool store_number(DType dtype, std::byte* data, std::int64_t index, std::uint64_t value);
/// Floats only.
bool store_number(DType dtype, std::byte* data, std::int64_t index, double value);

}  // namespace polaris
