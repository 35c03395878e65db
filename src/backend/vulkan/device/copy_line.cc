#include "backend/vulkan/device/copy_line.h"

#include <algorithm>

#include "base/bytes.h"

namespace polaris::vulkan {

Status CopyLine::open() {
  for (std::unique_ptr<Slot>& slot : slots_) {
    slot = std::make_unique<Slot>(pool_.device());
    const Status opened = slot->commands.open(pool_.device().copies().family());
    if (!opened) return opened;
  }
  return Status::success();
}

Status CopyLine::prepare() {
  const std::lock_guard lock(mutex_);
  if (staging_) return Status::success();
  const std::int64_t bytes = pool_.device().physical().staging_bytes;
  auto made = pool_.allocate(bytes, kind_, true);
  if (!made) return made.error().with_context("[vulkan] staging");
  staging_ = made.take();
  slot_bytes_ = bytes / 2;
  slots_[1]->offset = slot_bytes_;
  return Status::success();
}

/// Starts the copy between the slot, which is held, and the view's first `bytes`.
Status CopyLine::copy(Slot& slot, const BufferView& view, std::int64_t bytes,
                      const Timeline::Point* after) {
  LogicalDevice& device = pool_.device();
  const DeviceApi& api = device.api();
  auto& buffer = *static_cast<VulkanBuffer*>(view.buffer);
  slot.commands.reset();
  Result<VkCommandBuffer> commands = slot.commands.begin(true);
  if (!commands) return commands.error();
  full_barrier(api, *commands);
  const bool up = kind_ == MemoryKind::kUpload;
  VkBufferCopy region{};
  region.srcOffset = static_cast<VkDeviceSize>(up ? slot.offset : view.offset);
  region.dstOffset = static_cast<VkDeviceSize>(up ? view.offset : slot.offset);
  region.size = static_cast<VkDeviceSize>(bytes);
  api.CmdCopyBuffer(*commands, up ? staging_->handle() : buffer.handle(),
                    up ? buffer.handle() : staging_->handle(), 1, &region);
  host_barrier(api, *commands);
  const Status ended = slot.commands.end(*commands);
  if (!ended) return ended;
  const Result<std::uint64_t> value = device.copies().submit(*commands, after);
  if (!value) return value.error();
  slot.value = *value;
  buffer.note_copy(*value);
  staging_->note_copy(*value);
  return Status::success();
}

Result<std::uint64_t> CopyLine::write(const BufferView& to, const std::byte* from,
                                      const Timeline::Point* after) {
  if (auto ready = prepare(); !ready) return ready.error();
  std::uint64_t last = 0;
  for (std::int64_t done = 0; done < to.bytes; done += slot_bytes_) {
    Slot& slot = next_slot();
    const std::lock_guard lock(slot.mutex);
    const Status free = pool_.device().copies().wait(slot.value);
    if (!free) return free.error();
    const std::int64_t bytes = std::min(slot_bytes_, to.bytes - done);
    copy_bytes(staging_->host() + slot.offset, from + done, static_cast<std::size_t>(bytes));
    const Status copied = copy(slot, {to.buffer, to.offset + done, bytes}, bytes, after);
    if (!copied) return copied.error();
    last = slot.value;
  }
  return last;
}

/// Takes what was copied out of the piece's slot and lets the slot go.
Status CopyLine::empty(Piece& piece) {
  if (piece.slot == nullptr) return Status::success();
  const Status arrived = pool_.device().copies().wait(piece.slot->value);
  if (arrived) {
    copy_bytes(piece.to, staging_->host() + piece.slot->offset,
               static_cast<std::size_t>(piece.bytes));
  }
  piece.slot->mutex.unlock();
  piece.slot = nullptr;
  return arrived;
}

Status CopyLine::read(const BufferView& from, std::byte* to, const Timeline::Point* after) {
  if (auto ready = prepare(); !ready) return ready;
  Piece piece;
  Status status;
  for (std::int64_t done = 0; status && done < from.bytes; done += slot_bytes_) {
    Slot& slot = next_slot();
    // Waiting for a slot while holding one, two threads could wait for each other.
    if (piece.slot == &slot || !slot.mutex.try_lock()) {
      status = empty(piece);
      slot.mutex.lock();
    }
    const std::int64_t bytes = std::min(slot_bytes_, from.bytes - done);
    if (status) status = pool_.device().copies().wait(slot.value);
    if (status) status = copy(slot, {from.buffer, from.offset + done, bytes}, bytes, after);
    if (!status) {
      slot.mutex.unlock();
      break;
    }
    status = empty(piece);
    piece = {&slot, to + done, bytes};
  }
  const Status last = empty(piece);
  return status ? last : status;
}

}  // namespace polaris::vulkan
