#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backend/tuning.h"
#include "base/function_ref.h"
#include "session/run_options.h"
#include "session/runtime.h"

/// Measures, in a model's own runs, the kernels that devices were offered for its nodes.
namespace polaris {

/// What is measured: runs the model once, the same each time.
using TunedRun = FunctionRef<Status(const RunOptions&)>;

struct TuneOptions {
  std::int32_t runs = 5;  // profiled, of each trial
  const CancelToken* cancel = nullptr;
  /// Told after each trial.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

/// Nodes of one key on one device, as their launches took together.
struct TunedNode {
  std::string device;
  std::string key;
  std::string op;
  std::string node;   // the first of them
  std::string usual;  // by estimate
  std::string fastest;
  double usual_us = 0;
  double fastest_us = 0;
};

struct TuneReport {
  std::vector<TunedNode> nodes;  // those with a choice
  std::size_t trials = 0;        // sets of kernels that were run
  std::size_t failed = 0;        // trials that a device could not run
  double usual_ms = 0;           // a whole run, by estimates alone
  double tuned_ms = 0;           // and by what is kept
  bool kept = false;             // false: nothing was faster, or the whole run was not
};

/// Runs the model with each kernel in turn and keeps, for each node, one that was faster than the
/// usual one by more than noise: by 3 %, and so that three runs of four are below the fastest
/// quarter of the usual one's. Where whole runs are not faster too, nothing is kept. `drop_plans`
/// makes the next run choose anew. The runtime's devices are left with what is kept, on top of
/// `known`, one for each device, which receives it. Errors: what the usual runs find, cancelled.
Result<TuneReport> tune(Runtime& runtime, FunctionRef<void()> drop_plans, TunedRun run,
                        std::vector<Tuning>& known, const TuneOptions& options);

/// Whether times that a kernel took are below those of another by more than noise.
bool is_faster(const std::vector<double>& times, const std::vector<double>& usual);

}  // namespace polaris
