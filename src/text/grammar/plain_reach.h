#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "text/grammar/places.h"

namespace polaris::grammar {

/// How many plain characters, whichever they are, may follow a place: tokens of no more of them are
/// admitted without a look at each.
class PlainReach {
 public:
  /// At most `most`; kept until forget().
  std::uint32_t of(Places& places, Place place, std::uint32_t most);
  void forget() { steps_.clear(); }

 private:
  /// Where one of them leads; nothing where one leads nowhere.
  const std::vector<Place>& step(Places& places, Place place);
  std::unordered_map<Place, std::vector<Place>> steps_;
};

}  // namespace polaris::grammar
