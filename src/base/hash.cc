#include "base/hash.h"

#define XXH_STATIC_LINKING_ONLY  // the state by value: its allocator may return null
#include <xxhash.h>

namespace polaris {

struct Hasher::State {
  XXH3_state_t xxh;
};

std::string Hash128::hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::uint64_t word : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(word >> shift) & 15u];
  }
  return out;
}

Hash128 hash_bytes(std::span<const std::byte> bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.low64, h.high64};
}

Hash128 hash_text(std::string_view text) {
  return hash_bytes(std::as_bytes(std::span(text.data(), text.size())));
}

Hasher::Hasher() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
Hasher::~Hasher() = default;

void Hasher::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

void Hasher::add_text(std::string_view text) {
  add_i64(static_cast<std::int64_t>(text.size()));
  add(std::as_bytes(std::span(text.data(), text.size())));
}

void Hasher::add_i64(std::int64_t value) { add(std::as_bytes(std::span(&value, 1))); }

Hash128 Hasher::finish() const {
  const XXH128_hash_t h = XXH3_128bits_digest(&state_->xxh);
  return {h.low64, h.high64};
}

}  // namespace polaris
