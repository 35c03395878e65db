#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace polaris::gcn {

/// The device's address space: host bytes at simulated addresses.
class Memory {
 public:
  /// Shows `bytes` at an address of its own, a multiple of 4096, and returns it. The bytes must
  /// outlive their use. Low addresses fit 32 bits, as the driver's own structures must.
  std::uint64_t map(std::span<std::byte> bytes, bool low = false);
  /// The host bytes of [address, address + bytes), or null where they are not all there.
  std::byte* find(std::uint64_t address, std::uint64_t bytes) const;

 private:
  struct Region {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::byte* host = nullptr;
  };
  std::vector<Region> regions_;
  mutable std::size_t last_ = 0;  // one simulation is one thread
  std::uint64_t next_low_ = 0x10000;
  std::uint64_t next_ = 0x100000000;
};

}  // namespace polaris::gcn
