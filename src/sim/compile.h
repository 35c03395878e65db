#pragma once
#include <string>

#include "base/result.h"
#include "gcn/program.h"
#include "sim/null_device.h"

namespace polaris::gcn {

/// What the null device made, as a program to execute. Errors: the driver's, and make_program's.
Result<Program> program_of(const std::string& name, const radv::Compiled& compiled);

/// The lines of a disassembly that are instructions, with branch targets as byte addresses: what
/// disassemble() must print for each.
std::vector<std::string> driver_lines(const std::string& assembly);

}  // namespace polaris::gcn
