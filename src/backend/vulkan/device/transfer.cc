#include "backend/vulkan/device/transfer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "backend/vulkan/device/turn_request.h"
#include "base/bytes.h"

namespace polaris::vulkan {
namespace {

// Copies inside a device are cut into units of this size, taken to run at this rate.
constexpr std::int64_t kUnitBytes = std::int64_t{128} << 20;
constexpr double kBytesPerUs = 10e3;

VulkanBuffer& buffer_of(const BufferView& view) { return *static_cast<VulkanBuffer*>(view.buffer); }

Status check(const BufferView& view, std::string_view what) {
  if (view.buffer == nullptr || view.offset < 0 || view.bytes < 0 ||
      view.offset > view.buffer->bytes() || view.bytes > view.buffer->bytes() - view.offset) {
    return Error::invalid("[vulkan] " + std::string(what) + " of a range outside its buffer");
  }
  return Status::success();
}

}  // namespace

void Transfer::Job::clear() {
  commands_.reset();
  units_.clear();
}

Result<VkCommandBuffer> Transfer::Job::begin() { return commands_.begin(true); }

Status Transfer::Job::end(VkCommandBuffer commands, std::int64_t bytes) {
  const Status ended = commands_.end(commands);
  if (ended) units_.push_back({commands, static_cast<double>(bytes) / kBytesPerUs});
  return ended;
}

Result<std::uint64_t> Transfer::Job::send_unit(std::size_t unit) {
  return device_.submit_compute(units_[unit].commands);
}

Transfer::Transfer(MemoryPool& pool, TurnQueue& turns)
    : pool_(pool),
      turns_(turns),
      up_(pool, MemoryKind::kUpload),
      down_(pool, MemoryKind::kReadback) {}

Status Transfer::open() {
  for (std::unique_ptr<Job>& job : jobs_) {
    job = std::make_unique<Job>(pool_.device());
    const Status opened = job->open();
    if (!opened) return opened;
  }
  const Status up = up_.open();
  return up ? down_.open() : up;
}

/// The queue of copies keeps order: one that waited there would hold up those behind it, so the
/// host waits instead.
Status Transfer::wait_for(std::span<const Fence> after) {
  for (const Fence& fence : after) {
    if (fence.value == 0) continue;
    const Status waited = fence.queue == kCopies ? pool_.device().copies().wait(fence.value)
                                                 : turns_.wait(fence.value);
    if (!waited) return waited;
  }
  return Status::success();
}

Result<Fence> Transfer::write(const BufferView& to, const std::byte* from,
                              std::span<const Fence> after) {
  const Status checked = check(to, "write");
  if (!checked) return checked.error();
  if (auto waited = wait_for(after); !waited) return waited.error();
  if (to.bytes == 0) return Fence{};
  if (to.buffer->host() != nullptr) {
    copy_bytes(to.buffer->host() + to.offset, from, static_cast<std::size_t>(to.bytes));
    return Fence{};
  }
  const Timeline& kernels = pool_.device().compute().timeline();
  const Timeline::Point point{&kernels, kernels.value()};
  const auto value = up_.write(to, from, after.empty() ? nullptr : &point);
  if (!value) return value.error();
  return Fence{*value, kCopies};
}

Status Transfer::read(const BufferView& from, std::byte* to, std::span<const Fence> after) {
  const Status checked = check(from, "read");
  if (!checked) return checked;
  if (auto waited = wait_for(after); !waited) return waited;
  if (from.bytes == 0) return Status::success();
  if (from.buffer->host() != nullptr) {
    copy_bytes(to, from.buffer->host() + from.offset, static_cast<std::size_t>(from.bytes));
    return Status::success();
  }
  // What kernels wrote must be seen on the other queue, waited for or not.
  const Timeline& kernels = pool_.device().compute().timeline();
  const Timeline::Point point{&kernels, kernels.value()};
  return down_.read(from, to, &point);
}

/// Records `bytes` of work in units and submits it.
Result<Fence> Transfer::take_turn(std::int64_t bytes, std::span<const Fence> after,
                                  const Record& record) {
  Job& job = *jobs_[next_job_.fetch_add(1) % jobs_.size()];
  const std::lock_guard lock(job.mutex);
  // Its earlier work is another's: what became of it is not told here.
  if (job.number != 0) (void)turns_.wait(job.number).ok();
  job.clear();
  const DeviceApi& api = pool_.device().api();
  for (std::int64_t done = 0; done < bytes; done += kUnitBytes) {
    const std::int64_t part = std::min(kUnitBytes, bytes - done);
    Result<VkCommandBuffer> commands = job.begin();
    if (!commands) return commands.error();
    full_barrier(api, *commands);
    record(*commands, done, part);
    host_barrier(api, *commands);
    const Status ended = job.end(*commands, part);
    if (!ended) return ended.error();
  }
  const TurnRequest request(job, after, nullptr, 0);
  const Result<std::uint64_t> number = turns_.submit(request.get());
  if (!number) return number.error();
  job.number = *number;
  return Fence{*number, kTurns};
}

Result<Fence> Transfer::fill_zero(const BufferView& to, std::span<const Fence> after) {
  const Status checked = check(to, "fill");
  if (!checked) return checked.error();
  if (to.buffer->host() != nullptr || to.offset % 4 != 0 || to.bytes < 4) {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(to.bytes));
    return write(to, zeros.data(), after);
  }
  VulkanBuffer& buffer = buffer_of(to);
  const DeviceApi& api = pool_.device().api();
  // Fills come in words; what is left over is written.
  const std::int64_t words = to.bytes / 4 * 4;
  const auto filled = take_turn(
      words, after, [&](VkCommandBuffer commands, std::int64_t begin, std::int64_t bytes) {
        api.CmdFillBuffer(commands, buffer.handle(), static_cast<VkDeviceSize>(to.offset + begin),
                          static_cast<VkDeviceSize>(bytes), 0);
      });
  if (!filled) return filled;
  buffer.note_turn(filled->value);
  if (words == to.bytes) return filled;
  constexpr std::byte kZeros[4] = {};
  return write({to.buffer, to.offset + words, to.bytes - words}, kZeros, {&*filled, 1});
}

Result<Fence> Transfer::copy(const BufferView& from, const BufferView& to,
                             std::span<const Fence> after) {
  if (from.bytes != to.bytes) return Error::invalid("[vulkan] copy between ranges of two sizes");
  for (const BufferView* view : {&from, &to}) {
    const Status checked = check(*view, "copy");
    if (!checked) return checked.error();
  }
  const bool overlap = from.buffer == to.buffer && from.offset < to.offset + to.bytes &&
                       to.offset < from.offset + from.bytes;
  if (overlap) return Error::invalid("[vulkan] copy between ranges that overlap");
  if (from.bytes == 0) {
    if (auto waited = wait_for(after); !waited) return waited.error();
    return Fence{};
  }
  const DeviceApi& api = pool_.device().api();
  const auto copied = take_turn(
      from.bytes, after, [&](VkCommandBuffer commands, std::int64_t begin, std::int64_t bytes) {
        const VkBufferCopy region{static_cast<VkDeviceSize>(from.offset + begin),
                                  static_cast<VkDeviceSize>(to.offset + begin),
                                  static_cast<VkDeviceSize>(bytes)};
        api.CmdCopyBuffer(commands, buffer_of(from).handle(), buffer_of(to).handle(), 1, &region);
      });
  if (!copied) return copied;
  buffer_of(from).note_turn(copied->value);
  buffer_of(to).note_turn(copied->value);
  return copied;
}

}  // namespace polaris::vulkan
