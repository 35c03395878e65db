#include "text/grammar/plain_reach.h"

#include <algorithm>
#include <utility>

#include "text/grammar/char_ranges.h"
#include "text/grammar/token_tries.h"

namespace polaris::grammar {
namespace {

constexpr std::size_t kPlacesMax = 64;  // that are looked at together

void add_once(std::vector<Place>& places, Place place) {
  if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
}

/// Where the bytes of a range lead to from any of `from`; false where one leads nowhere.
bool follow(Places& places, const std::vector<Place>& from, std::uint8_t first, std::uint8_t last,
            std::vector<Place>& to) {
  for (const Place place : from) {
    int before = -1;
    for (unsigned byte = first; byte <= last; ++byte) {
      const auto b = static_cast<std::uint8_t>(byte);
      if (byte < 0x80 && !is_plain(b)) continue;
      const int kind = places.grammar().class_of(b);
      if (std::exchange(before, kind) == kind) continue;
      const Place next = places.next(place, b);
      if (next == kNowhere) return false;
      add_once(to, next);
      if (to.size() > kPlacesMax) return false;
    }
  }
  return true;
}

std::vector<Place> plain_step(Places& places, Place place) {
  // The shortest first: where text is not taken that is soon seen.
  static constexpr ByteSequence kPlain[] = {
      {{{0x20, 0x7E}}, 1},
      {{{0xC2, 0xDF}, {0x80, 0xBF}}, 2},
      {{{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}}, 3},
      {{{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}}, 3},
      {{{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}}, 3},
      {{{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}}, 3},
      {{{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
      {{{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
      {{{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}}, 4},
  };
  std::vector<Place> out;
  for (const ByteSequence& sequence : kPlain) {
    std::vector<Place> from{place};
    for (int i = 0; i < sequence.length; ++i) {
      std::vector<Place> to;
      if (!follow(places, from, sequence.bytes[i].first, sequence.bytes[i].last, to)) return {};
      from = std::move(to);
    }
    for (const Place to : from) add_once(out, to);
  }
  return out.size() > kPlacesMax ? std::vector<Place>() : out;
}

/// Whether some plain character may follow, as far as its first byte tells.
bool begins_plain(Places& places, Place place) {
  for (unsigned byte = 0x20; byte <= 0xF4; ++byte) {
    const auto b = static_cast<std::uint8_t>(byte);
    const bool first = byte < 0x80 ? is_plain(b) : byte >= 0xC2;
    if (first && places.next(place, b) != kNowhere) return true;
  }
  return false;
}

}  // namespace

const std::vector<Place>& PlainReach::step(Places& places, Place place) {
  const auto known = steps_.find(place);
  if (known != steps_.end()) return known->second;
  return steps_.emplace(place, plain_step(places, place)).first->second;
}

PlainReach::Reach PlainReach::of(Places& places, Place place, std::uint32_t longest) {
  std::vector<Place> seen{place};
  std::vector<Place> level{place};
  bool again = false;
  for (std::uint32_t length = 0; length < longest; ++length) {
    std::vector<Place> next;
    bool whole = true;
    const auto before = static_cast<std::ptrdiff_t>(seen.size());
    for (const Place at : level) {
      const std::vector<Place>& to = step(places, at);
      whole = whole && !to.empty();
      for (const Place p : to) {
        const auto found = std::find(seen.begin(), seen.end(), p);
        again = again || found - seen.begin() < before;
        if (found != seen.end()) continue;
        seen.push_back(p);
        next.push_back(p);
      }
    }
    if (!whole || seen.size() > kPlacesMax) {
      const bool none = std::none_of(level.begin(), level.end(),
                                     [&](Place at) { return begins_plain(places, at); });
      // Where places come again, more ways than those of this length lead to some.
      return {length, none && !again ? length : longest};
    }
    // Whatever comes is among those that all were gone on from.
    if (next.empty()) break;
    level = std::move(next);
  }
  return {longest, longest};
}

}  // namespace polaris::grammar
