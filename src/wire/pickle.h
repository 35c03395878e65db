#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace polaris {

/// The strings of a NumPy array of objects, as np.save and np.savez pickle it (protocols 2 to 5),
/// in row-major order. Opcodes and names are allow-listed, and nothing is called: what the pickle
/// says is called is noted down, and must be what makes an array. Errors: invalid (malformed, cut),
/// unsupported (an opcode or a name that no such array needs, objects that are no texts).
Result<std::vector<std::string>> read_pickled_strings(std::span<const std::byte> data);

}  // namespace polaris
