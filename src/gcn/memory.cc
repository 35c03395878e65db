#include "gcn/memory.h"

namespace polaris::gcn {
namespace {
constexpr std::uint64_t kPage = 4096;
}

std::uint64_t Memory::map(std::span<std::byte> bytes, bool low) {
  std::uint64_t& next = low ? next_low_ : next_;
  const std::uint64_t at = next;
  regions_.push_back({at, at + bytes.size(), bytes.data()});
  next += (bytes.size() + 2 * kPage - 1) / kPage * kPage;  // and a gap
  return at;
}

std::byte* Memory::find(std::uint64_t address, std::uint64_t bytes) const {
  const auto inside = [&](const Region& r) {
    return address >= r.begin && address <= r.end && bytes <= r.end - address;
  };
  if (last_ < regions_.size() && inside(regions_[last_])) {
    return regions_[last_].host + (address - regions_[last_].begin);
  }
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    if (!inside(regions_[i])) continue;
    last_ = i;
    return regions_[i].host + (address - regions_[i].begin);
  }
  return nullptr;
}

}  // namespace polaris::gcn
