#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/vulkan/device/core.h"
#include "backend/vulkan/device/unit_cut.h"

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
  const Dispatch* source = nullptr;  // of the kernel
  std::vector<RegionSpan> operands;
  std::optional<RegionSpan> indirect;

  /// The grid's outermost dimension: a dispatch is split along it. Shaders multiply
  /// gl_NumWorkGroups only with indices of dimensions outside of it, which stay 0 or whole.
  int outer() const;
  std::uint32_t parts_max() const;
};

struct ReadyLaunch {
  std::vector<ReadyDispatch> dispatches;
  std::vector<RegionSpan> reads;
  std::vector<RegionSpan> writes;
};

/// What a recording is to time. Launches that are timed run one after another.
enum class Stamps : std::uint8_t { kNone, kUnits, kDispatches, kLaunches };

/// Launches recorded for one tuple of regions: command buffers, one a unit, to submit in order, as
/// often as wanted.
class Recording final : public UnitSource, public Retired {
 public:
  explicit Recording(Core& core) : core_(core), pool_(*core.device) {}
  ~Recording() override;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  struct Plan {
    std::span<const ReadyLaunch> launches;
    std::span<const DispatchPiece> pieces;  // of all dispatches in a row
    std::span<const BufferView> regions;    // fixed ones, then run ones
    const VulkanBuffer* params = nullptr;   // the executable's own constants
    Stamps stamps = Stamps::kUnits;
  };
  Status record(const Plan& plan);

  std::size_t unit_count() const override { return units_.size(); }
  double unit_us(std::size_t unit) const override { return units_[unit].us; }
  Result<std::uint64_t> send_unit(std::size_t unit) override;

  /// Microseconds per unit, and per dispatch or launch where those are timed, once a run is over;
  /// empty where the device has no clock.
  struct Times {
    std::vector<double> units;
    std::vector<double> parts;
  };
  Result<Times> times() const;

  std::uint64_t last_number = 0;  // of its latest submission
  std::uint64_t used = 0;         // for choosing the least recently used

 private:
  struct Range {
    VkBuffer buffer;
    std::int64_t begin;
    std::int64_t end;
  };
  struct Unit {
    VkCommandBuffer commands;
    double us = 0;
    std::uint32_t first_stamp = 0;
    std::uint32_t last_stamp = 0;
  };
  /// Two stamps around something that is timed.
  struct Interval {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  Status open_pools();
  Status open_queries();
  Status record_launch(const ReadyLaunch& launch);
  Status record_pieces(const ReadyDispatch& dispatch);
  Result<VkDescriptorSet> bind_operands(const ReadyDispatch& dispatch);
  Status go(const ReadyDispatch& dispatch, const DispatchPiece& piece, VkDescriptorSet set);
  Status begin_unit();
  Status end_unit();
  std::uint32_t stamp();
  double between(const std::vector<std::uint64_t>& ticks, std::uint32_t begin,
                 std::uint32_t end) const;
  Result<Range> range_of(const RegionSpan& span) const;
  Status note(const ReadyLaunch& launch, bool& conflict);
  void barrier();
  VkCommandBuffer commands() const { return units_.back().commands; }

  Core& core_;
  CommandPool pool_;
  VkDescriptorPool descriptors_ = VK_NULL_HANDLE;
  VkQueryPool queries_ = VK_NULL_HANDLE;
  std::vector<Unit> units_;
  std::vector<Interval> timed_;
  std::uint32_t stamps_ = 0;
  std::uint32_t stamps_max_ = 0;
  // While recording:
  Plan plan_;
  std::size_t next_piece_ = 0;
  std::vector<Range> read_;
  std::vector<Range> written_;
};

}  // namespace polaris::vulkan
