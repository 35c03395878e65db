#include "backend/vulkan/transfer.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kSlotBytes = std::int64_t{4} << 20;

VulkanBuffer& buffer_of(const BufferView& view) { return *static_cast<VulkanBuffer*>(view.buffer); }

Status check(const BufferView& view, std::string_view what) {
  if (view.buffer == nullptr || view.offset < 0 || view.bytes < 0 ||
      view.offset > view.buffer->bytes() || view.bytes > view.buffer->bytes() - view.offset) {
    return Error::invalid("[vulkan] " + std::string(what) + " of a range outside its buffer");
  }
  return Status::success();
}

}  // namespace

Result<std::byte*> Transfer::slots(Slots which) {
  std::unique_ptr<VulkanBuffer>& staging = staging_[static_cast<std::size_t>(which)];
  if (!staging) {
    const std::int64_t bytes =
        std::min(2 * kSlotBytes, pool_.device().physical().info.allocation_bytes_max);
    const MemoryKind kind = which == Slots::kUpload ? MemoryKind::kUpload : MemoryKind::kReadback;
    auto made = pool_.allocate(bytes, kind, true);
    if (!made) return made.error().with_context("[vulkan] staging");
    staging = made.take();
  }
  return staging->host();
}

Result<std::uint64_t> Transfer::submit(VkCommandBuffer commands) {
  LogicalDevice& device = pool_.device();
  host_barrier(device.api(), commands);
  const Status ended = commands_.end(commands);
  if (!ended) return ended.error();
  const std::lock_guard lock(device.queue_mutex());
  return device.submit(commands);
}

Result<std::uint64_t> Transfer::submit_copy(const Region& region) {
  const DeviceApi& api = pool_.device().api();
  Result<VkCommandBuffer> commands = commands_.begin(true);
  if (!commands) return commands.error();
  full_barrier(api, *commands);
  const VkBufferCopy copy{static_cast<VkDeviceSize>(region.from_offset),
                          static_cast<VkDeviceSize>(region.to_offset),
                          static_cast<VkDeviceSize>(region.bytes)};
  api.CmdCopyBuffer(*commands, region.from, region.to, 1, &copy);
  return submit(*commands);
}

Status Transfer::finish(const Status& status) {
  LogicalDevice& device = pool_.device();
  const Status waited = device.wait(device.last_value());
  if (waited) commands_.reset();
  return status ? waited : status;
}

Status Transfer::write(const BufferView& to, const std::byte* from) {
  const Status checked = check(to, "write");
  if (!checked || to.bytes == 0) return checked;
  if (to.buffer->host() != nullptr) {
    LogicalDevice& device = pool_.device();
    const Status waited = device.wait(device.last_value());
    if (!waited) return waited;
    std::memcpy(to.buffer->host() + to.offset, from, static_cast<std::size_t>(to.bytes));
    return Status::success();
  }
  const std::lock_guard lock(mutex_);
  return finish(write_staged(to, from));
}

Status Transfer::write_staged(const BufferView& to, const std::byte* from) {
  Result<std::byte*> host = slots(Slots::kUpload);
  if (!host) return host.error();
  VulkanBuffer& staging = *staging_[0];
  const std::int64_t slot_bytes = staging.bytes() / 2;
  std::uint64_t busy[2] = {0, 0};
  int slot = 0;
  for (std::int64_t done = 0; done < to.bytes; done += slot_bytes, slot ^= 1) {
    const std::int64_t bytes = std::min(slot_bytes, to.bytes - done);
    const Status free = pool_.device().wait(busy[slot]);
    if (!free) return free;
    std::memcpy(*host + slot * slot_bytes, from + done, static_cast<std::size_t>(bytes));
    const Result<std::uint64_t> value = submit_copy(
        {staging.handle(), buffer_of(to).handle(), slot * slot_bytes, to.offset + done, bytes});
    if (!value) return value.error();
    busy[slot] = *value;
  }
  return Status::success();
}

Status Transfer::read(const BufferView& from, std::byte* to) {
  const Status checked = check(from, "read");
  if (!checked || from.bytes == 0) return checked;
  if (from.buffer->host() != nullptr) {
    LogicalDevice& device = pool_.device();
    const Status waited = device.wait(device.last_value());
    if (!waited) return waited;
    std::memcpy(to, from.buffer->host() + from.offset, static_cast<std::size_t>(from.bytes));
    return Status::success();
  }
  const std::lock_guard lock(mutex_);
  return finish(read_staged(from, to));
}

Status Transfer::read_staged(const BufferView& from, std::byte* to) {
  Result<std::byte*> host = slots(Slots::kReadback);
  if (!host) return host.error();
  VulkanBuffer& staging = *staging_[1];
  const std::int64_t slot_bytes = staging.bytes() / 2;
  struct Pending {
    std::uint64_t value = 0;
    std::int64_t done = 0;
    std::int64_t bytes = 0;
  } pending[2];
  const auto drain = [&](int slot) -> Status {
    Pending& p = pending[slot];
    if (p.bytes == 0) return Status::success();
    const Status waited = pool_.device().wait(p.value);
    if (!waited) return waited;
    std::memcpy(to + p.done, *host + slot * slot_bytes, static_cast<std::size_t>(p.bytes));
    p.bytes = 0;
    return Status::success();
  };
  int slot = 0;
  for (std::int64_t done = 0; done < from.bytes; done += slot_bytes, slot ^= 1) {
    const Status free = drain(slot);
    if (!free) return free;
    const std::int64_t bytes = std::min(slot_bytes, from.bytes - done);
    const Result<std::uint64_t> value = submit_copy(
        {buffer_of(from).handle(), staging.handle(), from.offset + done, slot * slot_bytes, bytes});
    if (!value) return value.error();
    pending[slot] = {*value, done, bytes};
  }
  const Status first = drain(slot);
  if (!first) return first;
  return drain(slot ^ 1);
}

Status Transfer::fill_zero(const BufferView& to) {
  const Status checked = check(to, "fill");
  if (!checked || to.bytes == 0) return checked;
  if (to.buffer->host() != nullptr || to.offset % 4 != 0 || to.bytes < 4) {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(to.bytes));
    return write(to, zeros.data());
  }
  // Fills come in words; what is left over is written.
  const std::int64_t words = to.bytes / 4 * 4;
  {
    const std::lock_guard lock(mutex_);
    const DeviceApi& api = pool_.device().api();
    Result<VkCommandBuffer> commands = commands_.begin(true);
    if (!commands) return commands.error();
    full_barrier(api, *commands);
    api.CmdFillBuffer(*commands, buffer_of(to).handle(), static_cast<VkDeviceSize>(to.offset),
                      static_cast<VkDeviceSize>(words), 0);
    const Result<std::uint64_t> value = submit(*commands);
    const Status filled = finish(value ? Status::success() : Status(value.error()));
    if (!filled || words == to.bytes) return filled;
  }
  constexpr std::byte kZeros[4] = {};
  return write({to.buffer, to.offset + words, to.bytes - words}, kZeros);
}

Status Transfer::copy(const BufferView& from, const BufferView& to) {
  if (from.bytes != to.bytes) return Error::invalid("[vulkan] copy between ranges of two sizes");
  for (const BufferView* view : {&from, &to}) {
    const Status checked = check(*view, "copy");
    if (!checked) return checked;
  }
  if (from.bytes == 0) return Status::success();
  const bool overlap = from.buffer == to.buffer && from.offset < to.offset + to.bytes &&
                       to.offset < from.offset + from.bytes;
  if (overlap) return Error::invalid("[vulkan] copy between ranges that overlap");
  const std::lock_guard lock(mutex_);
  const Result<std::uint64_t> value = submit_copy(
      {buffer_of(from).handle(), buffer_of(to).handle(), from.offset, to.offset, from.bytes});
  return finish(value ? Status::success() : Status(value.error()));
}

}  // namespace polaris::vulkan
