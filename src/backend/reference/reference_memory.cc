#include "backend/reference/reference_memory.h"

#include <new>
#include <string>
#include <utility>

namespace polaris::reference {
namespace {

constexpr std::align_val_t kAlignment{64};

class OwnedBuffer final : public Buffer {
 public:
  OwnedBuffer(std::int64_t bytes, std::byte* host, std::shared_ptr<Memory> memory)
      : Buffer(bytes, host), memory_(std::move(memory)) {}
  ~OwnedBuffer() override {
    ::operator delete(host(), kAlignment);
    memory_->release(bytes());
  }

 private:
  std::shared_ptr<Memory> memory_;
};

class WrappedBuffer final : public Buffer {
 public:
  WrappedBuffer(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : Buffer(static_cast<std::int64_t>(bytes.size()), const_cast<std::byte*>(bytes.data())),
        owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

Error refused(std::int64_t bytes, const std::string& why) {
  return Error::out_of_memory("[reference] allocation, got " + std::to_string(bytes) + " bytes, " +
                              why);
}

}  // namespace

Status Memory::take(std::int64_t bytes) {
  if (allocations_.fetch_add(1) + 1 == fail_allocation_at_) {
    return refused(bytes, "which was to fail");
  }
  if (bytes < 0 || bytes > allocation_bytes_max_) {
    return refused(bytes, "wanted at most " + std::to_string(allocation_bytes_max_));
  }
  const std::int64_t live = live_bytes_.fetch_add(bytes) + bytes;
  if (live > budget_bytes_) {
    release(bytes);
    return refused(bytes, "wanted at most " + std::to_string(budget_bytes_ - (live - bytes)) +
                              " of a budget of " + std::to_string(budget_bytes_));
  }
  std::int64_t peak = peak_bytes_.load();
  while (live > peak && !peak_bytes_.compare_exchange_weak(peak, live)) {
  }
  return Status::success();
}

Result<std::unique_ptr<Buffer>> Memory::allocate(const std::shared_ptr<Memory>& memory,
                                                 std::int64_t bytes) {
  if (auto taken = memory->take(bytes); !taken) return taken.error();
  // One byte at least, so that an empty operand has an address.
  const auto size = static_cast<std::size_t>(bytes > 0 ? bytes : 1);
  void* data = ::operator new(size, kAlignment, std::nothrow);
  if (data == nullptr) {
    memory->release(bytes);
    return refused(bytes, "which the machine does not have");
  }
  auto* buffer = new (std::nothrow) OwnedBuffer(bytes, static_cast<std::byte*>(data), memory);
  if (buffer == nullptr) {
    ::operator delete(data, kAlignment);
    memory->release(bytes);
    return refused(bytes, "which the machine does not have");
  }
  return std::unique_ptr<Buffer>(buffer);
}

std::unique_ptr<Buffer> wrap_bytes(std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner) {
  return std::make_unique<WrappedBuffer>(bytes, std::move(owner));
}

}  // namespace polaris::reference
