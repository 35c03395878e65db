#include "text/counter_random.h"

namespace polaris {
namespace {

constexpr int kRounds = 10;
constexpr std::uint64_t kMultipliers[] = {0xD2511F53u, 0xCD9E8D57u};
constexpr std::uint32_t kWeyl[] = {0x9E3779B9u, 0xBB67AE85u};  // golden ratio, sqrt(3) - 1

std::uint32_t low(std::uint64_t number) { return static_cast<std::uint32_t>(number); }
std::uint32_t high(std::uint64_t number) { return static_cast<std::uint32_t>(number >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox_4x32(std::array<std::uint32_t, 4> counter,
                                         std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = kMultipliers[0] * counter[0];
    const std::uint64_t b = kMultipliers[1] * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key = {key[0] + kWeyl[0], key[1] + kWeyl[1]};
  }
  return counter;
}

double uniform_at(const DrawPlace& place) {
  const auto bits =
      philox_4x32({place.position, place.draw, low(place.sequence), high(place.sequence)},
                  {low(place.seed), high(place.seed)});
  // 27 bits and 26.
  const std::uint64_t whole = (static_cast<std::uint64_t>(bits[0] >> 5) << 26) | (bits[1] >> 6);
  return static_cast<double>(whole) * 0x1p-53;
}

}  // namespace polaris
