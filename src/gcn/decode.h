#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "gcn/instruction.h"

namespace polaris::gcn {

/// Machine code to instructions, up to its end; branches are resolved. Errors: unsupported, with
/// the opcode's number and address where a table lacks it; invalid where code is cut off.
Result<std::vector<Instruction>> decode(std::span<const std::uint32_t> words);

}  // namespace polaris::gcn
