#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polaris::audit {

enum class Pipe : std::uint8_t { kValu, kSalu, kVmem, kSmem, kLds, kBranch, kWait };
inline constexpr int kPipes = 5;  // those that a loop can saturate: the first five

/// One GCN instruction as the model sees it.
struct Instruction {
  std::string name;  // mnemonic without its encoding suffix
  Pipe pipe = Pipe::kValu;
  int cycles = 0;      // of its pipe, a wave of 64 on one SIMD
  int block = 0;       // index of its basic block
  int target = -1;     // block that a branch goes to
  int vmem_left = -1;  // s_waitcnt: operations that may stay outstanding; -1: any number
  int lgkm_left = -1;
};

/// The program as RADV's disassembly prints it; lines that are no instruction are passed over.
std::vector<Instruction> parse_assembly(std::string_view text);

/// Cost of a mnemonic in cycles of its pipe (the table is in isa.cc).
Pipe pipe_of(std::string_view name);
int cycles_of(std::string_view name);

}  // namespace polaris::audit
