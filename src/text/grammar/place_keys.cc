#include "text/grammar/place_keys.h"

#include <algorithm>
#include <span>

namespace polaris::grammar {
namespace {

// Beside classes, which are fewer.
constexpr std::uint32_t kBytesMark = UINT32_MAX - 1;
constexpr std::uint32_t kExactMark = UINT32_MAX - 2;
constexpr std::uint32_t kNestedMax = 40;

}  // namespace

void PlaceKeys::forget() {
  keys_ = ItemSets();
  keys_.add({});  // 0: what follows does not matter
  after_.clear();
}

std::optional<std::uint32_t> PlaceKeys::of(const Places& places, Place place, std::uint32_t bytes) {
  if (bytes > StateClasses::kDepths.back()) return std::nullopt;
  return key_of(places, places.items(place), bytes, 0);
}

std::uint32_t PlaceKeys::key_of(const Places& places, std::span<const Item> items,
                                std::uint32_t bytes, std::uint32_t nested) {
  const std::size_t level = StateClasses::level_of(bytes);
  std::vector<Item> key{{kBytesMark, bytes}};
  for (const Item& item : items) {
    if (item == Places::kTextEnd) {
      key.push_back(item);
      continue;
    }
    const std::uint32_t inside = classes_.bytes_to_end(item.state);
    const std::uint32_t after =
        inside < bytes ? key_after(places, item.then, bytes - inside, nested + 1) : 0;
    key.push_back({classes_.of(item.state, level), after});
  }
  std::sort(key.begin(), key.end());
  key.erase(std::unique(key.begin(), key.end()), key.end());
  return keys_.add(key);
}

std::uint32_t PlaceKeys::key_after(const Places& places, std::uint32_t then, std::uint32_t bytes,
                                   std::uint32_t nested) {
  if (nested > kNestedMax) {
    const Item exact{kExactMark, then};
    return keys_.add(std::span(&exact, 1));
  }
  const std::uint64_t asked = std::uint64_t{then} << 8 | bytes;
  const auto known = after_.find(asked);
  if (known != after_.end()) return known->second;
  const std::uint32_t key = key_of(places, places.after_rule(then), bytes, nested);
  after_.emplace(asked, key);
  return key;
}

}  // namespace polaris::grammar
