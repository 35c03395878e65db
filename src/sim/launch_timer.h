#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gcn/timing.h"
#include "plan/plan.h"
#include "sim/operands.h"
#include "sim/program_cache.h"
#include "sim/timing_cache.h"

namespace polaris::gcn {

/// Bytes for a buffer that is only timed, rounded up to words: small numbers that no format takes
/// for an infinity. What they are makes no difference to time, but an index read from them must
/// stay small.
std::vector<std::byte> filled(std::int64_t bytes);

/// Times the dispatches of one launch of a plan.
class LaunchTimer {
 public:
  LaunchTimer(ProgramCache& programs, TimingCache& cache, const TimingOptions& options,
              const Stage& stage, std::span<const Tensor> inputs)
      : programs_(programs), cache_(cache), options_(options), stage_(stage), inputs_(inputs) {}

  /// By dispatch of the kernel. Errors: unsupported where a program is not in the model.
  Result<std::vector<DispatchTime>> time(const polaris::Launch& launch);

 private:
  /// Memory for the launch's operands.
  struct Bytes {
    std::vector<std::vector<std::byte>> blocks;
    Operands operands;
  };
  /// What the host gives an operand, or nothing.
  std::span<const std::byte> given(const polaris::Operand& operand) const;
  Bytes make(const polaris::Launch& launch) const;
  Hash128 key(const polaris::Launch& launch, std::size_t dispatch) const;
  Result<DispatchTime> simulated(const polaris::Launch& launch, std::size_t dispatch);

  ProgramCache& programs_;
  TimingCache& cache_;
  const TimingOptions& options_;
  const Stage& stage_;
  std::span<const Tensor> inputs_;
};

}  // namespace polaris::gcn
