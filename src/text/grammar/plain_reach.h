#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "text/grammar/places.h"

namespace polaris::grammar {

/// How many plain characters may follow a place: tokens of few of them are admitted, and those of
/// many are not, without a look at each.
class PlainReach {
 public:
  struct Reach {
    std::uint32_t least = 0;  // so many may, whichever they are
    std::uint32_t most = 0;   // no more may, whichever they are
  };
  /// Up to `longest`; kept until forget().
  Reach of(Places& places, Place place, std::uint32_t longest);
  void forget() { steps_.clear(); }

 private:
  /// Where one of them leads; nothing where some lead nowhere.
  const std::vector<Place>& step(Places& places, Place place);
  std::unordered_map<Place, std::vector<Place>> steps_;
};

}  // namespace polaris::grammar
