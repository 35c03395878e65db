#pragma once
#include <cstddef>
#include <cstring>

namespace polaris {

/// memcpy, memmove, memset to zero and memcmp == 0 for counts that may be none: C forbids a null
/// pointer even then (C11 7.24.1, 2), and what is empty often has no address.
inline void copy_bytes(void* to, const void* from, std::size_t count) {
  if (count > 0) std::memcpy(to, from, count);
}
inline void move_bytes(void* to, const void* from, std::size_t count) {
  if (count > 0) std::memmove(to, from, count);
}
inline void clear_bytes(void* to, std::size_t count) {
  if (count > 0) std::memset(to, 0, count);
}
inline bool equal_bytes(const void* a, const void* b, std::size_t count) {
  return count == 0 || std::memcmp(a, b, count) == 0;
}

}  // namespace polaris
