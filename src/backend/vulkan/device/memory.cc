#include "backend/vulkan/device/memory.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/os/clock.h"

namespace polaris::vulkan {
namespace {

// Shaders may read whole words of the last few bytes.
constexpr std::int64_t kRound = 64;
constexpr std::int64_t kBudgetAgeNs = 100'000'000;

VkBufferUsageFlags usage() {
  return VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT |
         VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
}

}  // namespace

Allocation::~Allocation() {
  LogicalDevice& device = pool_.device();
  device.api().DestroyBuffer(device.handle(), buffer, nullptr);
  device.api().FreeMemory(device.handle(), memory, nullptr);
  pool_.release(bytes_);
}

VulkanBuffer::VulkanBuffer(MemoryPool& pool, std::int64_t bytes, std::int64_t real_bytes,
                           std::byte* host, std::unique_ptr<Allocation> allocation, bool internal)
    : Buffer(bytes, host),
      pool_(pool),
      real_bytes_(real_bytes),
      allocation_(std::move(allocation)),
      internal_(internal) {}

VulkanBuffer::~VulkanBuffer() {
  if (!internal_) pool_.live_bytes_ -= real_bytes_;
  pool_.retirer().retire(std::move(allocation_), {turn_.load(), copy_.load()});
}

void VulkanBuffer::raise(std::atomic<std::uint64_t>& last, std::uint64_t value) {
  std::uint64_t now = last.load(std::memory_order_relaxed);
  while (now < value && !last.compare_exchange_weak(now, value, std::memory_order_relaxed)) {
  }
}

std::int64_t MemoryPool::budget_bytes() {
  const PhysicalDevice& physical = device_.physical();
  const std::int64_t now = monotonic_ns();
  std::int64_t asked = asked_ns_.load(std::memory_order_relaxed);
  // Whoever finds the answer old asks again; the others go on with it.
  if ((asked == 0 || now - asked > kBudgetAgeNs) && asked_ns_.compare_exchange_strong(asked, now)) {
    driver_budget_.store(device_.driver_budget().value_or(INT64_MAX));
  }
  return std::min(physical.share_bytes, driver_budget_.load(std::memory_order_relaxed));
}

Status MemoryPool::reserve(std::int64_t bytes) {
  const DeviceInfo& info = device_.physical().info;
  const std::int64_t budget = budget_bytes();
  const std::lock_guard lock(mutex_);
  if (bytes > budget - reserved_bytes_) {
    return Error::out_of_memory("[vulkan] memory of " + info.id + ", got a need of " +
                                std::to_string(bytes) + " bytes beside " +
                                std::to_string(reserved_bytes_) + " in use, wanted at most " +
                                std::to_string(budget) + " in all");
  }
  if (live_count_ >= device_.physical().allocation_count_max) {
    return Error::out_of_memory("[vulkan] the driver's number of allocations is used up");
  }
  reserved_bytes_ += bytes;
  ++live_count_;
  return Status::success();
}

void MemoryPool::release(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  reserved_bytes_ -= bytes;
  --live_count_;
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
  if (tries_.fetch_add(1) + 1 == fail_at_) {
    return Error::out_of_memory("[vulkan] allocation " + std::to_string(fail_at_) +
                                " fails, as asked for");
  }
  retirer_.sweep();
  auto made = try_allocate(bytes, kind, internal);
  while (!made && made.error().code() == ErrorCode::kOutOfMemory && retirer_.wait_for_one()) {
    made = try_allocate(bytes, kind, internal);
  }
  return made;
}

Result<std::unique_ptr<VulkanBuffer>> MemoryPool::try_allocate(std::int64_t bytes, MemoryKind kind,
                                                               bool internal) {
  const std::int64_t real = std::max(kRound, round_up(bytes, kRound));
  const Status reserved = reserve(real);
  if (!reserved) return reserved.error();
  std::unique_ptr<Allocation> allocation(new (std::nothrow) Allocation(*this, real));
  if (!allocation) {
    release(real);
    return Error::out_of_memory("[vulkan] host memory for the buffer object");
  }
  void* host = nullptr;
  std::string_view what;
  const VkResult result = create(*allocation, real, kind, &host, what);
  if (result != VK_SUCCESS) {
    return vulkan_error(what, result)
        .with_context("[vulkan] a buffer of " + std::to_string(bytes) + " bytes");
  }
  auto made = std::make_unique<VulkanBuffer>(*this, bytes, real, static_cast<std::byte*>(host),
                                             std::move(allocation), internal);
  if (!internal) {
    ++allocations_;
    const std::lock_guard lock(mutex_);
    live_bytes_ += real;
    peak_bytes_ = std::max<std::int64_t>(peak_bytes_, live_bytes_);
  }
  return made;
}

VkResult MemoryPool::create(Allocation& made, std::int64_t bytes, MemoryKind kind, void** host,
                            std::string_view& what) {
  const DeviceApi& api = device_.api();
  const std::uint32_t families[2] = {device_.compute().family(), device_.copies().family()};
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = static_cast<VkDeviceSize>(bytes);
  info.usage = usage();
  if (families[0] != families[1]) {
    info.sharingMode = VK_SHARING_MODE_CONCURRENT;
    info.queueFamilyIndexCount = 2;
    info.pQueueFamilyIndices = families;
  }
  what = "vkCreateBuffer";
  VkResult result = api.CreateBuffer(device_.handle(), &info, nullptr, &made.buffer);
  if (result != VK_SUCCESS) return result;
  VkMemoryRequirements needs{};
  api.GetBufferMemoryRequirements(device_.handle(), made.buffer, &needs);
  VkMemoryAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocate.allocationSize = needs.size;
  allocate.memoryTypeIndex = find_type(needs.memoryTypeBits, kind);
  what = "vkAllocateMemory";
  if (allocate.memoryTypeIndex == UINT32_MAX) return VK_ERROR_FEATURE_NOT_PRESENT;
  result = api.AllocateMemory(device_.handle(), &allocate, nullptr, &made.memory);
  if (result != VK_SUCCESS) return result;
  what = "vkBindBufferMemory";
  result = api.BindBufferMemory(device_.handle(), made.buffer, made.memory, 0);
  if (result != VK_SUCCESS || kind == MemoryKind::kDevice) return result;
  what = "vkMapMemory";
  return api.MapMemory(device_.handle(), made.memory, 0, VK_WHOLE_SIZE, 0, host);
}

}  // namespace polaris::vulkan
