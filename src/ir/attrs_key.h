#pragma once
#include <string>

#include "ir/attrs.h"

namespace polaris {

/// Every field of the attributes as bytes: equal exactly where all fields are. A key for comparing,
/// not for reading.
std::string attrs_key(const Attrs& attrs);

}  // namespace polaris
