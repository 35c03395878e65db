#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace polaris::test {

/// A fuzzer's input as a buffer of just that size, so that a read past its end is seen.
inline std::vector<std::byte> fuzz_bytes(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> out(size);
  if (size > 0) std::memcpy(out.data(), data, size);
  return out;
}

}  // namespace polaris::test
