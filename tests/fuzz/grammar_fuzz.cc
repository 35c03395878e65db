// covers: src/text/grammar src/pipeline/schema
#include <cstdint>
#include <string_view>

#include "pipeline/schema/json_schema.h"
#include "text/grammar/grammar.h"
#include "text/grammar/places.h"

// A grammar, or a schema where it begins with '{', and behind a byte that neither holds a text that
// is led through it. What remains of a place when others are forgotten must be the same place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polaris;
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  const std::string_view source = whole.substr(0, whole.find('\xFE'));
  const std::string_view text = source.size() < size ? whole.substr(source.size() + 1) : "";
  const auto made =
      source.starts_with("{") ? parse_schema(source) : grammar::Grammar::parse(source);
  if (!made) return 0;
  grammar::Places places(*made);
  grammar::Place place = places.start();
  std::size_t read = 0;
  for (const char c : text.substr(0, 4096)) {
    if (place == grammar::kNowhere || !places.take_status()) break;
    if (++read % 64 == 0) {
      const std::string before = places.wanted(place);
      const bool ended = places.may_end(place);
      grammar::Place* const kept[] = {&place};
      places.forget(kept);
      if (places.wanted(place) != before || places.may_end(place) != ended) __builtin_trap();
    }
    place = places.next(place, static_cast<std::uint8_t>(c));
  }
  return 0;
}
