#include "backend/vulkan/memory.h"

#include <algorithm>
#include <new>
#include <string>

#include "base/checked.h"

namespace polaris::vulkan {
namespace {

// Shaders may read whole words of the last few bytes.
constexpr std::int64_t kRound = 64;

VkBufferUsageFlags usage() {
  return VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
         VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
}

}  // namespace

VulkanBuffer::VulkanBuffer(MemoryPool& pool, std::int64_t bytes, std::int64_t real_bytes,
                           std::byte* host, VkBuffer buffer, VkDeviceMemory memory, bool internal)
    : Buffer(bytes, host),
      pool_(pool),
      real_bytes_(real_bytes),
      buffer_(buffer),
      memory_(memory),
      internal_(internal) {}

VulkanBuffer::~VulkanBuffer() {
  LogicalDevice& device = pool_.device();
  // Nothing in flight may still name it; a lost device has nothing in flight.
  (void)device.wait(device.last_value()).ok();
  device.api().DestroyBuffer(device.handle(), buffer_, nullptr);
  device.api().FreeMemory(device.handle(), memory_, nullptr);
  pool_.release(real_bytes_, internal_);
}

Status MemoryPool::reserve(std::int64_t bytes) {
  const DeviceInfo& info = device_.physical().info;
  const std::lock_guard lock(mutex_);
  if (tries_.fetch_add(1) + 1 == fail_at_) {
    return Error::out_of_memory("[vulkan] allocation " + std::to_string(fail_at_) +
                                " fails, as asked for");
  }
  if (bytes > info.budget_bytes - reserved_bytes_) {
    return Error::out_of_memory("[vulkan] memory of " + info.id + ", got a need of " +
                                std::to_string(bytes) + " bytes beside " +
                                std::to_string(reserved_bytes_) + " in use, wanted at most " +
                                std::to_string(info.budget_bytes) + " in all");
  }
  if (live_count_ >= device_.physical().allocation_count_max) {
    return Error::out_of_memory("[vulkan] the driver's number of allocations is used up");
  }
  reserved_bytes_ += bytes;
  ++live_count_;
  return Status::success();
}

void MemoryPool::release(std::int64_t bytes, bool internal) {
  const std::lock_guard lock(mutex_);
  reserved_bytes_ -= bytes;
  --live_count_;
  if (!internal) live_bytes_ -= bytes;
}

std::uint32_t MemoryPool::find_type(std::uint32_t allowed, MemoryKind kind) const {
  const VkPhysicalDeviceMemoryProperties& memory = device_.physical().memory;
  constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  constexpr VkMemoryPropertyFlags kMapped = kVisible | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  // The best type has what is wanted and the fewest of what is not.
  int best_score = -1;
  std::uint32_t best = UINT32_MAX;
  for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    const VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if ((allowed & (1u << i)) == 0) continue;
    int score = 0;
    if (kind == MemoryKind::kDevice) {
      if ((flags & kLocal) == 0 ||
          memory.memoryTypes[i].heapIndex != device_.physical().device_heap) {
        continue;
      }
      score = (flags & kVisible) == 0 ? 2 : 1;
    } else {
      if ((flags & kMapped) != kMapped) continue;
      const bool cached = (flags & kCached) != 0;
      score = ((flags & kLocal) == 0 ? 1 : 0) + (cached == (kind == MemoryKind::kReadback) ? 2 : 0);
    }
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  return best;
}

Result<std::unique_ptr<VulkanBuffer>> MemoryPool::allocate(std::int64_t bytes, MemoryKind kind,
                                                           bool internal) {
  const DeviceInfo& info = device_.physical().info;
  if (bytes < 0) return Error::invalid("[vulkan] buffer size, got " + std::to_string(bytes));
  if (bytes > info.allocation_bytes_max) {
    return Error::out_of_memory("[vulkan] one buffer on " + info.id + ", got " +
                                std::to_string(bytes) + " bytes, wanted at most " +
                                std::to_string(info.allocation_bytes_max));
  }
  const std::int64_t real = std::max(kRound, round_up(bytes, kRound));
  const Status reserved = reserve(real);
  if (!reserved) return reserved.error();

  const DeviceApi& api = device_.api();
  VkBufferCreateInfo create{};
  create.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  create.size = static_cast<VkDeviceSize>(real);
  create.usage = usage();
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  void* host = nullptr;
  std::string_view what = "vkCreateBuffer";
  VkResult result = api.CreateBuffer(device_.handle(), &create, nullptr, &buffer);
  if (result == VK_SUCCESS) {
    VkMemoryRequirements needs{};
    api.GetBufferMemoryRequirements(device_.handle(), buffer, &needs);
    VkMemoryAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocate.allocationSize = needs.size;
    allocate.memoryTypeIndex = find_type(needs.memoryTypeBits, kind);
    what = "vkAllocateMemory";
    result = allocate.memoryTypeIndex == UINT32_MAX
                 ? VK_ERROR_FEATURE_NOT_PRESENT
                 : api.AllocateMemory(device_.handle(), &allocate, nullptr, &memory);
  }
  if (result == VK_SUCCESS) {
    what = "vkBindBufferMemory";
    result = api.BindBufferMemory(device_.handle(), buffer, memory, 0);
  }
  if (result == VK_SUCCESS && kind != MemoryKind::kDevice) {
    what = "vkMapMemory";
    result = api.MapMemory(device_.handle(), memory, 0, VK_WHOLE_SIZE, 0, &host);
  }
  std::unique_ptr<VulkanBuffer> made;
  if (result == VK_SUCCESS) {
    what = "host memory for the buffer object";
    made.reset(new (std::nothrow) VulkanBuffer(*this, bytes, real, static_cast<std::byte*>(host),
                                               buffer, memory, internal));
    if (!made) result = VK_ERROR_OUT_OF_HOST_MEMORY;
  }
  if (result != VK_SUCCESS) {
    api.DestroyBuffer(device_.handle(), buffer, nullptr);
    api.FreeMemory(device_.handle(), memory, nullptr);
    {
      const std::lock_guard lock(mutex_);
      reserved_bytes_ -= real;
      --live_count_;
    }
    return vulkan_error(what, result)
        .with_context("[vulkan] a buffer of " + std::to_string(bytes) + " bytes");
  }
  if (!internal) {
    ++allocations_;
    const std::lock_guard lock(mutex_);
    live_bytes_ += real;
    peak_bytes_ = std::max<std::int64_t>(peak_bytes_, live_bytes_);
  }
  return made;
}

}  // namespace polaris::vulkan
