#pragma once
#include <cstddef>

#include "backend/vulkan/kernel.h"
#include "base/result.h"
#include "gcn/timing.h"
#include "sim/operands.h"
#include "sim/program_cache.h"

namespace polaris::gcn {

/// One dispatch of a kernel as it was timed.
struct TimedDispatch {
  Launch launch;
  const Program* program = nullptr;  // the cache's; null where the grid is empty
  Timing timing;
};

/// Times one dispatch over `operands`. Where its grid is written by the kernel's own earlier
/// dispatches, those are executed first, and `operands` hold what they wrote. Errors: unsupported
/// where a program is not in the model or ends in a fault.
Result<TimedDispatch> time_dispatch(ProgramCache& programs, const vulkan::VulkanKernel& kernel,
                                    std::size_t dispatch, Operands& operands,
                                    const TimingOptions& options);

}  // namespace polaris::gcn
