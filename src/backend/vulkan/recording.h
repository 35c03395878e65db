#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/vulkan/core.h"

namespace polaris::vulkan {

/// The region of an executable's own constants, and of operands that have no bytes.
inline constexpr std::int32_t kParamsRegion = -1;

/// Bytes of a region; fixed regions come first, then those bound at submit.
struct RegionSpan {
  std::int32_t region = kParamsRegion;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// A dispatch whose pipeline and operands are settled; only addresses are open.
struct ReadyDispatch {
  Pipeline pipeline;
  std::vector<std::uint32_t> push;
  std::vector<RegionSpan> operands;
  std::array<std::uint32_t, 3> grid = {1, 1, 1};
  std::optional<RegionSpan> indirect;
  bool barrier_before = true;
  double estimate_us = 0;
};

struct ReadyLaunch {
  std::vector<ReadyDispatch> dispatches;
  std::vector<RegionSpan> reads;
  std::vector<RegionSpan> writes;
};

/// Launches recorded for one tuple of regions: command buffers to submit in order, as often as
/// wanted.
class Recording {
 public:
  explicit Recording(Core& core) : core_(core), pool_(*core.device) {}
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// `regions`: fixed ones, then run ones. `params`: the executable's own constants. With
  /// `timestamps` launches run one after another, with a timestamp before and after each.
  Status record(std::span<const ReadyLaunch> launches, std::span<const BufferView> regions,
                const VulkanBuffer& params, bool timestamps);
  std::span<const VkCommandBuffer> commands() const { return commands_; }
  /// Microseconds per launch, once a timed recording is complete.
  Result<std::vector<double>> times(std::size_t launches) const;

  std::uint64_t last_value = 0;  // of its latest submission
  std::uint64_t used = 0;        // for choosing the least recently used

 private:
  struct Range {
    VkBuffer buffer;
    std::int64_t begin;
    std::int64_t end;
  };
  Status open_pools(std::span<const ReadyLaunch> launches, bool timestamps);
  Status record_launch(const ReadyLaunch& launch, bool timestamps, std::uint32_t index);
  Status record_dispatch(const ReadyDispatch& dispatch);
  Status begin_commands();
  Result<Range> range_of(const RegionSpan& span) const;
  Status note(const ReadyLaunch& launch, bool& conflict);
  void barrier();

  Core& core_;
  CommandPool pool_;
  VkDescriptorPool descriptors_ = VK_NULL_HANDLE;
  VkQueryPool queries_ = VK_NULL_HANDLE;
  std::vector<VkCommandBuffer> commands_;
  // While recording:
  std::span<const BufferView> regions_;
  const VulkanBuffer* params_ = nullptr;
  std::vector<Range> read_;
  std::vector<Range> written_;
  double open_us_ = 0;
};

}  // namespace polaris::vulkan
