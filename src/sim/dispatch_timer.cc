#include "sim/dispatch_timer.h"

#include <algorithm>
#include <utility>

namespace polaris::gcn {
namespace {

bool is_empty(const Launch& launch) {
  return std::find(launch.grid.begin(), launch.grid.end(), 0U) != launch.grid.end();
}

}  // namespace

Result<TimedDispatch> time_dispatch(ProgramCache& programs, const vulkan::VulkanKernel& kernel,
                                    std::size_t dispatch, Operands& operands,
                                    const TimingOptions& options) {
  std::size_t d = kernel.dispatches[dispatch].indirect ? 0 : dispatch;
  for (;; ++d) {
    Memory memory;
    Result<Launch> launch = operands.launch(kernel.dispatches[d], memory);
    if (!launch) return launch.error();
    if (is_empty(*launch)) {
      if (d == dispatch) return TimedDispatch{launch.take(), nullptr, {}};
      continue;
    }
    const Result<const Program*> program = programs.get(kernel.dispatches[d]);
    if (!program) return program.error();
    if (d < dispatch) {  // it makes the grid
      Machine machine(**program, memory, *launch);
      machine.run();
      const Faults& faults = machine.report().faults;
      if (faults.stopped()) return Error::unsupported("[gcn] " + faults.text());
      continue;
    }
    Timing timing = simulate(**program, memory, *launch, options);
    if (timing.faults.stopped()) return Error::unsupported("[gcn] " + timing.faults.text());
    return TimedDispatch{launch.take(), *program, std::move(timing)};
  }
}

}  // namespace polaris::gcn
