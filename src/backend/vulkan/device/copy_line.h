#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "backend/vulkan/device/memory.h"

namespace polaris::vulkan {

/// Copies between the host and memory it cannot reach, in one direction, through two staging slots
/// of bounded size: the host fills or empties one while the queue copies the other. Several threads
/// take slots in turn. Thread-safe.
class CopyLine {
 public:
  /// `kind`: kUpload, or kReadback for the way back.
  CopyLine(MemoryPool& pool, MemoryKind kind) : pool_(pool), kind_(kind) {}
  Status open();
  /// Returns the value of the queue of copies at which all is there. `from` is read by then.
  /// `after`: a point of another queue that what is overwritten belongs to, or null.
  Result<std::uint64_t> write(const BufferView& to, const std::byte* from,
                              const Timeline::Point* after);
  /// `to` is filled when it returns.
  Status read(const BufferView& from, std::byte* to, const Timeline::Point* after);

 private:
  struct Slot {
    explicit Slot(LogicalDevice& device) : commands(device) {}
    std::mutex mutex;
    CommandPool commands;
    std::uint64_t value = 0;  // of its latest copy
    std::int64_t offset = 0;  // in the staging buffer
  };
  struct Piece {
    Slot* slot = nullptr;  // held
    std::byte* to = nullptr;
    std::int64_t bytes = 0;
  };
  Status prepare();
  Slot& next_slot() { return *slots_[turn_.fetch_add(1) % slots_.size()]; }
  Status copy(Slot& slot, const BufferView& view, std::int64_t bytes, const Timeline::Point* after);
  Status empty(Piece& piece);

  MemoryPool& pool_;
  const MemoryKind kind_;
  std::mutex mutex_;
  std::unique_ptr<VulkanBuffer> staging_;
  std::int64_t slot_bytes_ = 0;
  std::array<std::unique_ptr<Slot>, 2> slots_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace polaris::vulkan
