#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gcn/instruction.h"
#include "gcn/wave.h"

namespace polaris::gcn {

/// Which scalar registers RADV (Mesa 22.3, with the ACO compiler) fills before a compute program
/// starts; -1: not there. They follow one another: two of scratch, the descriptor set, the push
/// constants (a pointer, then words by value), the grid's size, the workgroup's place, its size.
struct Arguments {
  int descriptors = -1;   // low half of the set's address; the high half is 0 on the null device
  int push_pointer = -1;  // low half of the push constants' address
  int push_words = -1;    // the first of those passed by value
  std::uint64_t push_mask = 0;  // which words those are
  int grid_pointer = -1;        // address (two registers) of three words
  std::array<int, 3> workgroup = {-1, -1, -1};
  int group_size = -1;  // waves of the workgroup, and which of them this is
  int scratch_offset = -1;
};

/// One compute program: code and what its start needs to know.
struct Program {
  std::string name;
  std::vector<std::uint32_t> words;
  std::vector<Instruction> code;
  Arguments arguments;
  std::array<std::uint32_t, 3> local = {1, 1, 1};  // threads of a workgroup
  std::uint32_t lds_bytes = 0;
  int vgprs = 0;
  int sgprs = 0;
  FloatMode mode;
};

/// What the driver says of a pipeline, in its own words (VK_KHR_pipeline_executable_properties).
struct DriverText {
  std::string_view assembly;  // machine code stands in its comments, in hexadecimal
  std::string_view nir;       // the program before the compiler's back end
  std::string_view ir;        // the compiler's own form, with the registers of its arguments
  int vgprs = 0;
  int sgprs = 0;
  std::uint32_t lds_bytes = 0;
};

/// The machine words of a disassembly: those after each line's semicolon.
Result<std::vector<std::uint32_t>> machine_words(std::string_view assembly);

/// Errors: unsupported where an opcode or an argument is not in the model, invalid where the text
/// is not as the driver writes it.
Result<Program> make_program(std::string name, const DriverText& text);

}  // namespace polaris::gcn
