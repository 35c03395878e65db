#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gcn/timing.h"
#include "session/plan_ahead.h"
#include "session/runtime.h"
#include "sim/program_cache.h"
#include "sim/timing_cache.h"

namespace polaris::gcn {

// What lies outside of the chip. Estimates: no card was there.
/// Between two dispatches of which the second reads what the first wrote: what llama.cpp's
/// published decode rate on an RX 470 leaves beside its simulated kernels (docs/gcn.md).
inline constexpr double kGapUs = 11.4;
/// PCI Express 3.0, 16 lanes: 15.75 GB/s less its protocol.
inline constexpr double kBusGbPerS = 12;

/// One node's launch, simulated.
struct NodeTiming {
  std::string node;
  std::string op;
  std::string kernel;
  double us = 0;      // of its dispatches
  std::string bound;  // of the longest of them
  double share = 0;   // of that limit
  int dispatches = 0;
};

/// One run of what was planned. The run's time is kernels + gaps + bus.
struct RunTiming {
  std::vector<NodeTiming> nodes;  // in the order of the plan
  double kernels_us = 0;
  std::int64_t gaps = 0;  // between dependent dispatches
  std::int64_t bus_bytes = 0;
  std::vector<std::string> elsewhere;  // nodes that the card does not run; their time is not in it
  double gaps_us() const { return static_cast<double>(gaps) * kGapUs; }
  double bus_us() const { return static_cast<double>(bus_bytes) / (kBusGbPerS * 1e3); }
  double us() const { return kernels_us + gaps_us() + bus_us(); }
};

/// Times the plan of a model on a card that is not there: each dispatch that a run would make is
/// executed and timed as far as it must be, equal ones once.
class ModelTimer {
 public:
  using Told = std::function<void(std::size_t done, std::size_t all)>;

  /// The compiler for the card, or machine code kept in `programs` ("" for none) where Mesa's is
  /// not there. It must open before other threads start. Errors: not_found, with what to install;
  /// the file's.
  static Result<std::shared_ptr<ProgramCache>> open_compiler(const std::string& programs);
  /// A runtime whose first device is the card, to plan for; nothing runs on it.
  static Result<std::shared_ptr<Runtime>> runtime_for(std::shared_ptr<ProgramCache> programs,
                                                      OpSet ops);

  /// The same where nothing is to be timed.
  static Result<std::shared_ptr<Runtime>> runtime_to_plan(OpSet ops);

  /// Times are kept in `cache_path`, "" for nowhere.
  ModelTimer(std::shared_ptr<ProgramCache> programs, Chip chip, std::string cache_path);

  /// `inputs` are the graph's, on the host: what they hold may decide how long a kernel takes.
  /// Errors: unsupported where a program is not in the model.
  Result<RunTiming> time(const PlannedAhead& planned, std::span<const Tensor> inputs,
                         const Told& told = {});
  Status save() { return cache_.save(); }
  const std::string& mesa() const { return programs_->mesa(); }
  const Chip& chip() const { return options_.chip; }

 private:
  std::shared_ptr<ProgramCache> programs_;
  TimingOptions options_;
  TimingCache cache_;
};

}  // namespace polaris::gcn
