#include "session/device_pool.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"

namespace polaris {
namespace {

// Plans of neighbouring buckets differ by little: whole granules let them share a buffer.
constexpr std::int64_t kGranuleBytes = 64 * 1024;

}  // namespace

Lease::Lease(DevicePool* pool, std::unique_ptr<Buffer> buffer, MemoryKind kind)
    : pool_(pool), buffer_(std::move(buffer)), kind_(kind) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  give_back();
  pool_ = other.pool_;
  buffer_ = std::move(other.buffer_);
  kind_ = other.kind_;
  return *this;
}

Lease::~Lease() { give_back(); }

void Lease::give_back() {
  if (buffer_) pool_->give_back(std::move(buffer_), kind_);
}

Result<Lease> DevicePool::lease(std::int64_t bytes, MemoryKind kind) {
  {
    const std::lock_guard lock(mutex_);
    auto best = free_.end();
    for (auto at = free_.begin(); at != free_.end(); ++at) {
      if (at->kind != kind || at->buffer->bytes() < bytes) continue;
      const bool better =
          best == free_.end() || at->buffer->bytes() < best->buffer->bytes() ||
          (at->buffer->bytes() == best->buffer->bytes() && at->buffer->id() < best->buffer->id());
      if (better) best = at;
    }
    if (best != free_.end()) {
      Lease out(this, std::move(best->buffer), kind);
      free_.erase(best);
      return out;
    }
    // Room to come back without allocating, which give_back could not report.
    free_.reserve(free_.size() + 64);
  }
  const std::int64_t cap = std::max(bytes, device_.info().allocation_bytes_max);
  const std::int64_t rounded = std::min(round_up(bytes, kGranuleBytes), cap);
  auto buffer = device_.allocate(rounded, kind);
  if (!buffer && buffer.error().code() == ErrorCode::kOutOfMemory) {
    trim();
    buffer = device_.allocate(rounded, kind);
  }
  if (!buffer) return buffer.error();
  return Lease(this, buffer.take(), kind);
}

void DevicePool::trim() {
  std::vector<Free> released;
  const std::lock_guard lock(mutex_);
  released.swap(free_);
}

std::int64_t DevicePool::free_bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t bytes = 0;
  for (const Free& free : free_) bytes += free.buffer->bytes();
  return bytes;
}

void DevicePool::give_back(std::unique_ptr<Buffer> buffer, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  // Without spare room the buffer is simply freed: a destructor must not fail.
  if (free_.size() < free_.capacity()) free_.push_back({std::move(buffer), kind});
}

}  // namespace polaris
