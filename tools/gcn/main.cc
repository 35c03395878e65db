// gcn COMMAND ARGUMENTS: runs and times POLARIS10 machine code with no card present.
#include <cstdio>

#include "gcn/commands.h"

namespace polaris::gcn {
namespace {

constexpr const char* kUsage =
    "usage: gcn check SHADERS_JSON [STEP]\n"
    "       gcn run SPIRV [--buffer BYTES|FILE]... [--push W,...] [--constants V,...]\n"
    "           [--grid X,Y,Z] [--drop OPCODE]... [--print BUFFER] [--code]\n"
    "           [--instructions N]\n"
    "       gcn time GRAPH.txt [--chip NAME[:MHZ]] [--instructions N]\n"
    "       gcn marks SHADERS_JSON FOLDER MARKS_JSON [--update [--raise NAME]...]\n"
    "       gcn replay FOLDER [--chip NAME[:MHZ]] [--instructions N]\n";

int run(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const std::vector<std::string> args(argv + (argc > 1 ? 2 : argc), argv + argc);
  int code = kWrongUsage;
  try {
    if (command == "check") code = command_check(args);
    if (command == "time") code = command_time(args);
    if (command == "marks") code = command_marks(args);
    if (command == "replay") code = command_replay(args);
    if (command == "run") code = command_run(args);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gcn: %s\n", error.what());
    return 1;
  }
  if (code == kWrongUsage) std::fputs(kUsage, stderr);
  return code;
}

}  // namespace
}  // namespace polaris::gcn

int main(int argc, char** argv) { return polaris::gcn::run(argc, argv); }
