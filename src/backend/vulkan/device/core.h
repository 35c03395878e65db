#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "backend/turn_queue.h"
#include "backend/vulkan/device/logical_device.h"
#include "backend/vulkan/device/memory.h"
#include "backend/vulkan/device/pipelines.h"
#include "backend/vulkan/device/transfer.h"

namespace polaris::vulkan {

/// The compute queue as the turn queue sees it.
class ComputeHardware final : public UnitHardware {
 public:
  explicit ComputeHardware(LogicalDevice& device) : device_(device) {}
  bool reached(std::uint64_t value) override { return device_.compute().reached(value); }
  Status wait(std::uint64_t value) override { return device_.compute().wait(value); }
  bool copies_reached(std::uint64_t value) override { return device_.copies().reached(value); }
  Status wait_any(std::uint64_t value, std::uint64_t copies) override;
  void wake() override { (void)device_.wake().signal(++woken_).ok(); }

 private:
  LogicalDevice& device_;
  std::atomic<std::uint64_t> woken_{0};
  std::atomic<std::uint64_t> noticed_{0};
};

/// The estimates are a GPU's; a processor that plays one is taken to be this much slower at first.
inline constexpr double kSoftwareScale = 100;

/// The parts of one device, in the order in which they stand on each other.
struct Core {
  Core(std::unique_ptr<LogicalDevice> logical, std::int64_t fail_at, std::string cache_path,
       double pretended_unit_us)
      : device(std::move(logical)),
        unit_us(pretended_unit_us),
        hardware(*device),
        turns(hardware),
        memory(*device, turns, fail_at),
        pipelines(*device, std::move(cache_path)),
        transfer(memory, turns),
        estimate_scale(device->physical().info.software ? kSoftwareScale : 1.0) {}
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Status wait(const Fence& fence);

  std::unique_ptr<LogicalDevice> device;
  const double unit_us;  // pretended; 0: the device's own
  ComputeHardware hardware;
  TurnQueue turns;
  MemoryPool memory;
  PipelineStore pipelines;
  Transfer transfer;
  std::atomic<std::int64_t> command_buffers{0};
  std::atomic<std::int64_t> launches{0};
  /// A unit took that long; a piece of a kernel that cannot be split took too long.
  void note_unit(double us);
  void note_slow(std::string_view node, std::string_view kernel, double us);
  std::string slow_kernel() const;
  std::atomic<std::int64_t> longest_unit_us{0};
  /// What a microsecond of the kernels' estimates took here, as last measured.
  std::atomic<double> estimate_scale;

 private:
  mutable std::mutex slow_mutex_;
  std::string slow_;
  double slow_us_ = 0;
};

}  // namespace polaris::vulkan
