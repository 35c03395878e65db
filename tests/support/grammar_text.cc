#include "support/grammar_text.h"

#include <doctest/doctest.h>

#include "text/grammar/places.h"

namespace polaris::test {

std::shared_ptr<const grammar::Grammar> grammar_of(std::string_view gbnf) {
  auto grammar = grammar::Grammar::parse(gbnf);
  REQUIRE_MESSAGE(grammar.ok(), grammar.error().message());
  return grammar.take();
}

std::string grammar_refusal(std::string_view gbnf) {
  const auto grammar = grammar::Grammar::parse(gbnf);
  REQUIRE_FALSE(grammar.ok());
  return grammar.error().message();
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool takes(const std::shared_ptr<const grammar::Grammar>& grammar, std::string_view text) {
  grammar::Places places(grammar);
  grammar::Place place = places.start();
  for (const char c : text) {
    if (place == grammar::kNowhere) break;
    place = places.next(place, static_cast<std::uint8_t>(c));
  }
  const auto status = places.take_status();
  REQUIRE_MESSAGE(status.ok(), status.error().message());
  return place != grammar::kNowhere && places.may_end(place);
}

}  // namespace polaris::test
