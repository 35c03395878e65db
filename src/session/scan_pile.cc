#include "session/scan_pile.h"

#include <algorithm>
#include <string>

namespace polaris {
namespace {

// What a part takes beside its bytes: its reference, its lease or its tensor's owner.
constexpr std::int64_t kPartBytes = 512;

}  // namespace

std::int64_t ScanPile::limit_of(DeviceIndex device) const {
  if (bytes_max_ > 0) return bytes_max_;
  if (device != kHost) return runtime_.device(device).info().budget_bytes / 2;
  std::int64_t most = 0;
  for (DeviceIndex d = 0; d < runtime_.device_count(); ++d) {
    const DeviceInfo& info = runtime_.device(d).info();
    if (info.host_memory) most = std::max(most, info.budget_bytes);
  }
  return most > 0 ? most / 2 : INT64_MAX;
}

Status ScanPile::add(const ValueRef& part, std::int64_t trip) {
  const std::size_t place =
      part.device == kHost ? bytes_.size() - 1 : static_cast<std::size_t>(part.device);
  const std::int64_t held = part.device == kHost ? part.host.held_bytes()
                            : part.lease         ? part.lease->buffer()->bytes()
                                                 : part.type.bytes().value_or(0);
  bytes_[place] += held + kPartBytes;
  const std::int64_t limit = limit_of(part.device);
  if (bytes_[place] <= limit) return Status::success();
  return Error::exhausted(label_ + "scan outputs, got more than " + std::to_string(limit) +
                          " bytes after " + std::to_string(trip + 1) +
                          " iterations, wanted at most that");
}

}  // namespace polaris
