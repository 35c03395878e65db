#pragma once
#include <map>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "gcn/program.h"

namespace polaris::gcn {

/// Compiled programs as a file keeps them, for machines without Mesa's compiler: by the hash of
/// their SPIR-V and of all that fixes a pipeline. A text of lines, one a program.
struct ProgramFile {
  std::string mesa;                                      // the version that compiled them
  std::map<std::string, Program, std::less<>> programs;  // by the hash in hexadecimal
};

inline constexpr std::size_t kProgramsMax = 20'000;

std::string print_programs(const ProgramFile& file);
/// Errors: invalid, with the line, where it is not such a text or a program is not one that the
/// machine can start.
Result<ProgramFile> parse_programs(std::string_view text);

}  // namespace polaris::gcn
