#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "base/result.h"

namespace polaris {

/// No struct of the ABI is ever this long; a larger `size` was never written by sizeof.
inline constexpr std::size_t kStructBytesMax = 4096;

/// The whole of a struct whose caller may know an older or a newer form of it than we do.
/// `given->size` is the caller's sizeof; `size_v1` ends the last field of its first version. Fields
/// that an older caller lacks keep their value in `defaults`; those of a newer caller that we do
/// not know must be zero, which asks for nothing (as Linux' copy_struct_from_user does).
/// Errors: invalid (null, a size that no version has), unsupported (a field unknown here is set).
template <class T>
Result<T> copy_sized(const T* given, std::size_t size_v1, const char* what, T defaults = {}) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  const auto name = [&] { return std::string("[c] ") + what; };
  if (given == nullptr) return Error::invalid(name() + ", got null, wanted a struct");
  // Only `size` is known to be there until it has been looked at.
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  std::size_t size = 0;
  std::memcpy(&size, bytes + offsetof(T, size), sizeof size);
  if (size < size_v1 || size > kStructBytesMax) {
    return Error::invalid(name() + ", got size " + std::to_string(size) + ", wanted " +
                          std::to_string(size_v1) + " to " + std::to_string(kStructBytesMax));
  }
  const std::size_t known = std::min(size, sizeof(T));
  if (!std::all_of(bytes + known, bytes + size, [](unsigned char b) { return b == 0; })) {
    return Error::unsupported(name() + ", got a field beyond the " + std::to_string(sizeof(T)) +
                              " bytes known to this version, wanted zeros there");
  }
  T out = defaults;
  std::memcpy(&out, bytes, known);
  out.size = sizeof(T);
  return out;
}

}  // namespace polaris
