#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "session/program.h"
#include "session/run_options.h"
#include "session/trace_watch.h"
#include "session/value_ref.h"

namespace polaris {

/// Runs one loaded stage: leases its memory, fills its uploads, submits its segments, moves values
/// between devices, and waits for all of it. On each device a step follows the one before it.
class StageRunner {
 public:
  StageRunner(Runtime& runtime, const GraphInfo& info, const LoadedStage& loaded,
              const RunOptions& options, std::int64_t ticket);
  /// Fences are waited for, whatever happened.
  ~StageRunner();
  StageRunner(const StageRunner&) = delete;
  StageRunner& operator=(const StageRunner&) = delete;

  /// `live` are the stage's live-ins in its order. Returns its live-outs in its order.
  Result<std::vector<ValueRef>> run(std::span<const ValueRef* const> live,
                                    const BoundStates& states);

 private:
  struct PerDevice {
    std::vector<Lease> slabs;
    std::shared_ptr<Lease> upload;
    std::vector<BufferView> regions;
    Lease reports;            // status words of the launches that report
    std::vector<Lease> hops;  // of copies under way
    Fence last;               // of the latest step
    // Steps between which the run before must not be at the device, nor the next.
    std::size_t first_ordered = SIZE_MAX;
    std::size_t last_ordered = SIZE_MAX;
    std::unique_ptr<TraceWatch> watch;
  };
  Status bind(std::span<const ValueRef* const> live, const BoundStates& states);
  Status bind_storages(std::span<const ValueRef* const> live, const BoundStates& states);
  void find_ordered();
  bool uses_states(const SegmentStep& step) const;
  Result<Fence> follow(DeviceIndex d, std::size_t number);
  Status run_segment(const SegmentStep& step, Executable& executable, std::size_t number);
  Status run_transfer(const TransferStep& step);
  Status wait_device(DeviceIndex device);
  Status bind_reports(DeviceIndex d);
  Status read_reports(DeviceIndex d) const;
  void trace(DeviceIndex d, std::string what, double begin_us);
  BufferView view_of(const Operand& operand) const;
  Result<ValueRef> take_live_out(const LiveOut& out);
  PerDevice& on(DeviceIndex d) { return devices_[static_cast<std::size_t>(d)]; }

  Runtime& runtime_;
  const GraphInfo& info_;
  const LoadedStage& loaded_;
  const RunOptions& options_;
  std::int64_t ticket_;
  std::vector<PerDevice> devices_;
  std::vector<std::shared_ptr<Lease>> storage_leases_;  // by storage: live-ins and live-outs
  std::vector<BufferView> storage_views_;               // by storage: roots not in slabs
};

}  // namespace polaris
