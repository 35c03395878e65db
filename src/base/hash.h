#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace polaris {

/// A 128-bit content hash (XXH3): equal bytes may be taken for equal content. Not a defence
/// against someone who forges collisions.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  /// 32 lower-case hex digits.
  std::string hex() const;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

Hash128 hash_bytes(std::span<const std::byte> bytes);
Hash128 hash_text(std::string_view text);

/// The hash of bytes given in parts.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void add(std::span<const std::byte> bytes);
  /// The length too, so that ("ab", "c") and ("a", "bc") differ.
  void add_text(std::string_view text);
  void add_i64(std::int64_t value);
  Hash128 finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace polaris

template <>
struct std::hash<polaris::Hash128> {
  std::size_t operator()(const polaris::Hash128& h) const {
    return static_cast<std::size_t>(h.low);
  }
};
