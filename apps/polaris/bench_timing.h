#pragma once
#include <vector>

#include "base/function_ref.h"
#include "command.h"
#include "device_limit.h"
#include "profile.h"
#include "session/run_options.h"

namespace polaris::cli {

/// How often a bench runs what it times.
struct BenchRuns {
  std::int32_t timed = 10;
  std::int32_t warmup = 2;
};

/// What is timed: one run of a graph, or one step of a language model.
using OneRun = FunctionRef<Status(const RunOptions&)>;

/// Whole runs, and the launches of the run that was the middle one of those profiled.
struct Timing {
  std::vector<double> times_ms;
  std::vector<double> cpu_ms;  // processor time of each, of all threads
  std::vector<NodeTime> nodes;
};

/// The value below which the part `q` of them lies.
double quantile(std::vector<double> values, double q);

/// Runs, then runs again with each launch timed by its device. Ctrl-C ends it.
Result<Timing> time_runs(const Common& common, const BenchRuns& runs, OneRun one);

/// The nodes of the middle one of several profiled runs.
Result<std::vector<NodeTime>> profile_runs(const BenchRuns& runs, const RunOptions& options,
                                           OneRun one);

/// "kernels 1.234 ms: 5.6 GFLOP/s (12% of the peak), 7.8 GB/s (34% of the memory's)"
std::string kernels_text(const KernelTotals& kernels, const DeviceLimit& limit);
/// The fields `flops_share`, `bytes_share` and `limit_share`, of the device's own limits, under
/// `prefix`.
void write_shares(JsonWriter& json, const std::string& prefix, const KernelTotals& kernels,
                  const DeviceLimit& limit);

}  // namespace polaris::cli
