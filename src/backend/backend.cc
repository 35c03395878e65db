#include "backend/backend.h"

namespace polaris {
namespace {

std::uint64_t next_buffer_id() {
  // tidy: allow globals (ids are unique in the process, whoever made the buffer)
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Buffer::Buffer(std::int64_t bytes, std::byte* host)
    : bytes_(bytes), id_(next_buffer_id()), host_(host) {}

Status Kernel::pack(int, const Constant&, std::span<std::byte>) const {
  return Error::internal("[kernel] " + std::string(name()) + " packs no weights");
}

}  // namespace polaris
