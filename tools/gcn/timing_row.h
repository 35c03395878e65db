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

/// Bytes for a buffer that is only timed, rounded up to words: small numbers that no format takes
/// for an infinity. What they are makes no difference to time, but an index read from them must
/// stay small.
std::vector<std::byte> filled(std::int64_t bytes);

}  // namespace polaris::gcn
