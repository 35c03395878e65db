// Grammars that mean harm: refused, or no more than they may take in time and memory.
#include <doctest/doctest.h>

#include <string>

#include "support/grammar_text.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/places.h"
#include "text/grammar/rules.h"

namespace polaris {
namespace {

using namespace test;
using grammar::Grammar;
using grammar::Limits;

std::string times(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST_CASE("grammar limits: depth") {
  CHECK(holds(grammar_refusal("root ::= " + times("(", 10000) + "\"a\"" + times(")", 10000)),
              "got more than 256 in one another"));
  CHECK(takes(grammar_of("root ::= " + times("(", 256) + "\"a\"" + times(")", 256)), "a"));
  CHECK(
      takes(grammar_of("root ::= " + times("(\"b\" | ", 200) + "\"a\"" + times(")*", 200)), "aba"));
}

TEST_CASE("grammar limits: repeats") {
  CHECK(
      holds(grammar_refusal("root ::= \"a\"{1000000000}"), "got 1000000000, wanted at most 65536"));
  CHECK(holds(grammar_refusal("root ::= \"a\"{99999999999999999999999}"), "wanted at most 65536"));
  CHECK(takes(grammar_of("root ::= [a-zé]{65536}"), times("a", 65536)));
  CHECK(takes(grammar_of("root ::= ([a-zé]{60000}){60000}?"), ""));
  // Small things are copied, and so are copies of them.
  CHECK(holds(grammar_refusal("root ::= \"abcd\"{65536} \"abcd\"{65536} \"abcd\"{65536}"),
              "rule 'root': states"));
  // As many ways as there are numbers of four digits to base 999.
  grammar::Places places(grammar_of("root ::= ((((\"a\"?){999}){999}){999}){999}"));
  grammar::Place place = places.start();
  Status status;
  for (int i = 0; i < 3000 && status; ++i) {
    place = places.next(place, 'a');
    status = places.take_status();
  }
  REQUIRE_FALSE(status.ok());
  CHECK(holds(status.error().message(), "too many ways to read one text"));
}

TEST_CASE("grammar limits: size") {
  CHECK(holds(grammar_refusal("root ::= \"" + times("a", Limits::kTextBytes) + "\""),
              "wanted at most"));
  CHECK(holds(grammar_refusal("root ::= " + times("\"a\"?", 60000)), "transitions"));
  CHECK(holds(grammar_refusal("root ::= " + times("\"a\"*", 60000)), "transitions"));
  // Rules of which each may begin with the next, and is nothing.
  std::string chain = "root ::= r0";
  for (int i = 0; i < 4000; ++i) {
    chain += "\nr" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + "?";
  }
  CHECK(takes(grammar_of(chain + "\nr4000 ::= \"z\""), "z"));
  // A set of ranges without end.
  std::string set;
  for (char32_t code = 0x4E00; code < 0x4E00 + 2 * 9000; code += 2) {
    char text[12];
    std::snprintf(text, sizeof text, "\\u%04X", static_cast<unsigned>(code & 0xFFFF));
    set += text;
  }
  CHECK(takes(grammar_of("root ::= [" + set + "]{3}"), "一一一"));
  CHECK_FALSE(takes(grammar_of("root ::= [^" + set + "]*"), "ab一"));
}

TEST_CASE("grammar limits: ways to read a text") {
  CHECK(
      takes(grammar_of("root ::= " + times("(", 100) + "\"a\" | \"a\"" + times(" | \"a\")*", 100)),
            times("a", 500)));
  // What each letter was is never forgotten: 2^n texts lead to as many places, one by one.
  const auto mirror = grammar_of(
      "root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"c\" x \"d\" | \".\"\nx ::= root | root");
  CHECK(takes(mirror, times("ab", 2000) + "." + times("ba", 2000)));
  // As many ways at once as the text is long.
  const auto middle = grammar_of("root ::= x*\nx ::= \"a\" x \"a\" | \"a\" x \"b\" | \"a\"");
  grammar::Places places(middle);
  grammar::Place place = places.start();
  std::size_t read = 0;
  Status status;
  for (; read < 20000 && status; ++read) {
    place = places.next(place, 'a');
    status = places.take_status();
  }
  if (!status) CHECK(holds(status.error().message(), "too many ways to read one text"));
  CHECK(read > 1000);
}

}  // namespace
}  // namespace polaris
