#include "backend/cpu/cpu_memory.h"

#include <cstdlib>
#include <string>

#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kAlignment = 64;

struct FreeBytes {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};
using HostBytes = std::unique_ptr<std::byte, FreeBytes>;

class HostBuffer final : public Buffer {
 public:
  HostBuffer(std::int64_t bytes, CpuMemory* memory) : Buffer(bytes, nullptr), memory_(memory) {}
  ~HostBuffer() override {
    if (data_) memory_->release(bytes());
  }
  /// Takes the bytes, whose reservation is released with them.
  void hold(HostBytes data) {
    data_ = std::move(data);
    set_host(data_.get());
  }

 private:
  HostBytes data_;
  CpuMemory* memory_;
};

class WrappedBuffer final : public Buffer {
 public:
  WrappedBuffer(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : Buffer(static_cast<std::int64_t>(bytes.size()), const_cast<std::byte*>(bytes.data())),
        owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

Error no_memory(std::int64_t bytes, const std::string& why) {
  return Error::out_of_memory("[cpu] allocation of " + std::to_string(bytes) + " bytes: " + why);
}

}  // namespace

Result<std::unique_ptr<Buffer>> CpuMemory::allocate(std::int64_t bytes) {
  if (bytes < 0) return Error::invalid("[cpu] allocation, got a negative size");
  if (attempts_.fetch_add(1) + 1 == limits_.fail_allocation_at) {
    return no_memory(bytes, "failed on request");
  }
  if (limits_.allocation_bytes_max > 0 && bytes > limits_.allocation_bytes_max) {
    return no_memory(
        bytes, "one buffer has at most " + std::to_string(limits_.allocation_bytes_max) + " bytes");
  }
  // The object first: nothing that can throw may follow the reservation.
  auto buffer = std::make_unique<HostBuffer>(bytes, this);
  // Reserve before allocating, so that threads that allocate at once cannot pass the budget
  // together.
  const std::int64_t live = live_bytes_.fetch_add(bytes) + bytes;
  const bool fits = limits_.budget_bytes <= 0 || live <= limits_.budget_bytes;
  HostBytes data;
  if (fits && bytes <= INT64_MAX - kAlignment) {
    const std::int64_t padded = round_up(bytes == 0 ? 1 : bytes, kAlignment);
    data.reset(static_cast<std::byte*>(std::aligned_alloc(static_cast<std::size_t>(kAlignment),
                                                          static_cast<std::size_t>(padded))));
  }
  if (!data) {
    live_bytes_.fetch_sub(bytes);
    return fits ? no_memory(bytes, "the system has no more")
                : no_memory(bytes, "the budget is " + std::to_string(limits_.budget_bytes) +
                                       " bytes, " + std::to_string(live - bytes) + " are in use");
  }
  allocations_.fetch_add(1);
  std::int64_t peak = peak_bytes_.load();
  while (live > peak && !peak_bytes_.compare_exchange_weak(peak, live)) {
  }
  buffer->hold(std::move(data));
  return std::unique_ptr<Buffer>(std::move(buffer));
}

std::unique_ptr<Buffer> wrap_bytes(std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner) {
  return std::make_unique<WrappedBuffer>(bytes, std::move(owner));
}

}  // namespace polaris::cpu
