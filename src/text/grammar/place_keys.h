#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "text/grammar/item_sets.h"
#include "text/grammar/places.h"
#include "text/grammar/state_classes.h"

namespace polaris::grammar {

/// Numbers of places that are equal where the same may follow within some bytes, though not for
/// ever: what tokens of at most so many bytes may come next is found once for all of them.
class PlaceKeys {
 public:
  explicit PlaceKeys(const Grammar& grammar) : classes_(grammar) { forget(); }

  /// Nothing where places are not compared over so many bytes. Kept until forget().
  std::optional<std::uint32_t> of(const Places& places, Place place, std::uint32_t bytes);
  void forget();

 private:
  std::uint32_t key_of(const Places& places, std::span<const Item> items, std::uint32_t bytes,
                       std::uint32_t nested);
  std::uint32_t key_after(const Places& places, std::uint32_t then, std::uint32_t bytes,
                          std::uint32_t nested);

  StateClasses classes_;
  ItemSets keys_;  // of a class and the key of what follows
  std::unordered_map<std::uint64_t, std::uint32_t> after_;  // by what follows, and bytes
};

}  // namespace polaris::grammar
