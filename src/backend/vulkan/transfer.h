#pragma once
#include <cstdint>
#include <memory>
#include <mutex>

#include "backend/vulkan/memory.h"

namespace polaris::vulkan {

/// Blocking copies, each ordered after all earlier submissions. Memory that the host cannot reach
/// goes through two staging slots of bounded size, so that copying to and from a slot overlaps the
/// other's transfer.
class Transfer {
 public:
  explicit Transfer(MemoryPool& pool) : pool_(pool), commands_(pool.device()) {}
  Status open() { return commands_.open(); }
  Status write(const BufferView& to, const std::byte* from);
  Status read(const BufferView& from, std::byte* to);
  Status fill_zero(const BufferView& to);
  Status copy(const BufferView& from, const BufferView& to);

 private:
  enum class Slots : std::uint8_t { kUpload, kReadback };
  struct Region {
    VkBuffer from;
    VkBuffer to;
    std::int64_t from_offset;
    std::int64_t to_offset;
    std::int64_t bytes;
  };
  Result<std::byte*> slots(Slots which);
  Result<std::uint64_t> submit_copy(const Region& region);
  Result<std::uint64_t> submit(VkCommandBuffer commands);
  Status write_staged(const BufferView& to, const std::byte* from);
  Status read_staged(const BufferView& from, std::byte* to);
  /// Waits for everything and gives the command buffers back; passes `status` on.
  Status finish(const Status& status);

  MemoryPool& pool_;
  std::mutex mutex_;
  CommandPool commands_;
  std::unique_ptr<VulkanBuffer> staging_[2];
};

}  // namespace polaris::vulkan
