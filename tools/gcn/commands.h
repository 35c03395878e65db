#pragma once
#include <string>
#include <vector>

namespace polaris::gcn {

inline constexpr int kWrongUsage = 2;

/// check SHADERS_JSON [STEP]: decodes every (or each STEP-th) shipped variant and compares with the
/// driver's disassembly, line by line.
int command_check(const std::vector<std::string>& args);

/// run SPIRV [--buffer BYTES|FILE]... [--push W,...] [--constants V,...] [--grid X,Y,Z]
/// [--drop OPCODE]... [--print BUFFER] [--code] [--instructions N]: compiles, executes and reports
/// what is wrong with it. Dropped opcodes become s_nop, for canaries; --code lists the program
/// first; more than N wave instructions are too many.
int command_run(const std::vector<std::string>& args);

/// time GRAPH.txt [--chip NAME[:MHZ]] [--instructions N]: simulated time of each node's kernel, a
/// JSON line a dispatch. The graph is text IR; constants may be elided. N wave instructions are
/// simulated, and a kernel that has more in part.
int command_time(const std::vector<std::string>& args);

/// replay FOLDER [--chip NAME[:MHZ]] [--instructions N]: the same of dispatches that
/// tools/gcn/record wrote down of another program, equal ones once with their count.
int command_replay(const std::vector<std::string>& args);

/// marks SHADERS_JSON FOLDER MARKS_JSON [--update [--raise NAME]...]: times every node of the
/// graphs in FOLDER on an RX 580 by simulation and by the audit's model. Where the two are more
/// than 10 % apart the simulated time is the variant's mark, and more than 3 % above it fails.
int command_marks(const std::vector<std::string>& args);

}  // namespace polaris::gcn
