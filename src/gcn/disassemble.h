#pragma once
#include <string>

#include "gcn/instruction.h"

namespace polaris::gcn {

/// One instruction in the syntax that LLVM's disassembler prints for gfx803, branch targets as byte
/// addresses in hexadecimal.
std::string disassemble(const Instruction& in);

}  // namespace polaris::gcn
