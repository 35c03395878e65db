#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "backend/turn_queue.h"
#include "backend/vulkan/device/copy_line.h"
#include "backend/vulkan/device/memory.h"

namespace polaris::vulkan {

/// The queue that a Fence names.
enum FenceQueue : std::uint32_t { kTurns = 0, kCopies = 1 };

/// Copies of every kind. Those between host and device have a queue of their own; those inside the
/// device take turns with its kernels. None waits for more than it is told to follow. Thread-safe.
class Transfer {
 public:
  Transfer(MemoryPool& pool, TurnQueue& turns);
  Status open();
  Result<Fence> write(const BufferView& to, const std::byte* from, std::span<const Fence> after);
  Status read(const BufferView& from, std::byte* to, std::span<const Fence> after);
  Result<Fence> fill_zero(const BufferView& to, std::span<const Fence> after);
  Result<Fence> copy(const BufferView& from, const BufferView& to, std::span<const Fence> after);

 private:
  /// Commands that are recorded for one submission.
  class Job final : public UnitSource {
   public:
    explicit Job(LogicalDevice& device) : device_(device), commands_(device) {}
    Status open() { return commands_.open(device_.compute().family()); }
    void clear();
    Result<VkCommandBuffer> begin();
    Status end(VkCommandBuffer commands, std::int64_t bytes);
    std::size_t unit_count() const override { return units_.size(); }
    double unit_us(std::size_t unit) const override { return units_[unit].us; }
    Result<std::uint64_t> send_unit(std::size_t unit) override;

    std::mutex mutex;
    std::uint64_t number = 0;  // of its latest submission

   private:
    struct Unit {
      VkCommandBuffer commands;
      double us;
    };
    LogicalDevice& device_;
    CommandPool commands_;
    std::vector<Unit> units_;
  };
  using Record = std::function<void(VkCommandBuffer, std::int64_t begin, std::int64_t bytes)>;

  Status wait_for(std::span<const Fence> after);
  Result<Fence> take_turn(std::int64_t bytes, std::span<const Fence> after, const Record& record);

  MemoryPool& pool_;
  TurnQueue& turns_;
  CopyLine up_;
  CopyLine down_;
  std::array<std::unique_ptr<Job>, 8> jobs_;
  std::atomic<std::size_t> next_job_{0};
};

}  // namespace polaris::vulkan
