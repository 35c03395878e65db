#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gcn/timing.h"

namespace polaris::gcn {

struct TimingLabel {
  std::string node;
  std::string kernel;
  std::string chip;
  double seconds = 0;      // that the simulation took
  std::int64_t count = 1;  // of dispatches like this one
};

/// One dispatch as a JSON line on standard output.
void print_timing(const TimingLabel& label, const Launch& launch, const Program& program,
                  const Timing& timing);

/// PATH [--chip NAME[:MHZ]] [--instructions N]. Errors: invalid, with nothing to say where the
/// usage says it all.
struct TimingArgs {
  std::string path;
  TimingOptions options;
};
Result<TimingArgs> parse_timing(const std::vector<std::string>& args);

}  // namespace polaris::gcn
