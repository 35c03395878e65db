// Grammars in GBNF: what they take, against llama.cpp; what is none, and says so with its line.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/grammar_text.h"
#include "support/shared_files.h"
#include "test_paths.h"
#include "text/grammar/char_ranges.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/places.h"

namespace polaris {
namespace {

using namespace test;
using grammar::CharRanges;
using grammar::Grammar;

TEST_CASE("grammar: texts that llama.cpp takes are taken, and no others") {
  std::map<std::string, std::shared_ptr<const Grammar>> grammars;
  std::size_t taken = 0;
  const auto rows = read_table("data/grammar_expected.tsv");
  CHECK(rows.size() > 1300);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 3);
    auto& grammar = grammars[row[0]];
    if (!grammar) {
      const auto text =
          read_file(std::string(kSourceDir) + "/tests/data/grammars/" + row[0] + ".gbnf", 1 << 20);
      REQUIRE(text.ok());
      grammar = grammar_of(*text);
    }
    CAPTURE(row[0]);
    CAPTURE(row[2]);
    const bool wanted = row[1] == "yes";
    CHECK(takes(grammar, nlohmann::json::parse(row[2]).get<std::string>()) == wanted);
    taken += wanted ? 1 : 0;
  }
  CHECK(taken > 200);
}

TEST_CASE("grammar: repeats count") {
  struct Case {
    std::string repeat;
    std::vector<int> taken;  // of 0 to 7
  };
  const Case cases[] = {{"", {1}},
                        {"?", {0, 1}},
                        {"*", {0, 1, 2, 3, 4, 5, 6, 7}},
                        {"+", {1, 2, 3, 4, 5, 6, 7}},
                        {"{0}", {0}},
                        {"{3}", {3}},
                        {"{ 2 , 4 }", {2, 3, 4}},
                        {"{5,}", {5, 6, 7}},
                        {"{0,2}", {0, 1, 2}},
                        {"{1,}", {1, 2, 3, 4, 5, 6, 7}},
                        {"{2}{2}", {4}},
                        {"?{3}", {0, 1, 2, 3}},
                        {"{2}*", {0, 2, 4, 6}}};
  // Parts of each kind that the automaton makes another way.
  const std::pair<std::string, std::string> parts[] = {
      {"\"a\"", "a"}, {"[a]", "a"},
      {"[aé]", "é"},  {"(\"abcdefgh\")", "abcdefgh"},
      {"part", "é-"}, {"(\"x\" | \"y\")", "y"}};
  for (const auto& [part, text] : parts) {
    for (const Case& c : cases) {
      CAPTURE(part);
      CAPTURE(c.repeat);
      const auto grammar =
          grammar_of("root ::= \"<\" " + part + c.repeat + " \">\"\npart ::= \"é-\"");
      std::string all;
      for (int count = 0; count < 8; ++count, all += text) {
        const bool wanted = std::find(c.taken.begin(), c.taken.end(), count) != c.taken.end();
        CHECK(takes(grammar, "<" + all + ">") == wanted);
      }
    }
  }
}

TEST_CASE("grammar: spaces, lines and notes stand where llama.cpp has them") {
  CHECK(takes(grammar_of("# first\r\n\n root ::=\n  \"a\" # note\n"), "a"));
  CHECK(takes(grammar_of("root ::= (\n \"a\"\n | # or\n \"b\" ) |\n \"c\"\nx::=\"y\""), "c"));
  CHECK(takes(grammar_of("root::=\"a\"b\nb::=[b]\r\n"), "ab"));
  CHECK(takes(grammar_of("root ::= | \"a\""), ""));
  CHECK(takes(grammar_of("root ::= () \"a\""), "a"));
  CHECK(holds(grammar_refusal("root ::= \"a\"\n | \"b\""), "line 2"));
  CHECK(holds(grammar_refusal("root ::= \"a\"\n \"b\""), "line 2"));
}

TEST_CASE("grammar: what is no GBNF is refused where it is") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "no rule 'root'"},
      {"main ::= \"a\"", "no rule 'root'"},
      {"root ::= other", "'other' is used and not defined"},
      {"root ::= \"a\"\n\nroot ::= \"b\"", "line 3, rule 'root': it is there twice"},
      {"root = \"a\"", "wanted '::='"},
      {"root_1 ::= \"a\"", "wanted '::='"},
      {"::= \"a\"", "wanted a name"},
      {"root ::= \"a", "does not end"},
      {"root ::= [a", "does not end"},
      {"root ::= (\"a\"", "wanted ')'"},
      {"root ::= \"a\")", "wanted the end of the line"},
      {"root ::= *", "wanted something before it to repeat"},
      {"root ::= \"\"*", "wanted something before it to repeat"},
      {"root ::= \"a\" | +", "wanted something before it to repeat"},
      {"root ::= \"a\"{", "wanted a number"},
      {"root ::= \"a\"{1", "wanted '}'"},
      {"root ::= \"a\"{,3}", "wanted a number"},
      {"root ::= \"a\"{3,2}", "its most below its least"},
      {"root ::= \"\\q\"", "wanted one of"},
      {"root ::= \"\\x4\"", "2 hexadecimal digits"},
      {"root ::= \"\\uD800\"", "no character's number"},
      {"root ::= \"\\U00110000\"", "no character's number"},
      {"root ::= []", "no character"},
      {"root ::= [z-a]", "its end before its beginning"},
      {"root ::= [^\\U00000000-\\U0010FFFF]", "no character"},
      {"root ::= \"\xFF\"", "no UTF-8"},
      {"root ::= <think> .*", "names a token"},
      {"root ::= !<[1]>", "names a token"},
      {std::string("root ::= \"a\"\0", 13), "NUL"},
  };
  for (const auto& [gbnf, why] : cases) {
    CAPTURE(gbnf);
    const std::string got = grammar_refusal(gbnf);
    CAPTURE(got);
    CHECK(holds(got, why));
    CHECK(got.starts_with("[grammar]"));
  }
}

TEST_CASE("grammar: rules that do not end, or begin with themselves, are named") {
  CHECK(holds(grammar_refusal("root ::= \"a\" root"), "rule 'root' never ends"));
  CHECK(holds(grammar_refusal("root ::= \"a\" | trap\ntrap ::= \"b\" trap"),
              "rule 'trap' never ends"));
  CHECK(holds(grammar_refusal("root ::= x{0,5} \"a\"\nx ::= y\ny ::= \"q\" x"), "never ends"));
  CHECK(holds(grammar_refusal("root ::= root \"a\" | \"b\""), "rule 'root' may begin with itself"));
  CHECK(holds(grammar_refusal("root ::= x\nx ::= sp y\ny ::= x \"a\" | \"b\"\nsp ::= \" \"?"),
              "may begin with itself"));
  CHECK(holds(grammar_refusal("root ::= x \"a\"\nx ::= x | \"b\""),
              "rule 'x' may begin with itself"));
  CHECK(holds(grammar_refusal("root ::= (root)* \"a\""), "may begin with itself"));
  // Nobody calls it.
  CHECK(takes(grammar_of("root ::= \"a\"\nloop ::= loop"), "a"));
  // Behind something that is never nothing it may.
  CHECK(takes(grammar_of("root ::= \"(\" root \")\" | \"\""), "((()))"));
}

/// Encodes without a check, to be beside what is checked.
std::string utf8_of(char32_t code) {
  std::string out;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  }
  if (code >= 0x80) out += static_cast<char>(0x80 | (code & 0x3F));
  return out;
}

TEST_CASE("grammar: sets of characters are exact over all of Unicode") {
  const CharRanges cases[] = {{{0, 0x10FFFF}},
                              {{'a', 'z'}, {0x7F, 0x80}},
                              {{0x7FF, 0x800}, {0xFFFF, 0x10000}},
                              {{0x3041, 0x309F}, {0x4E00, 0x9FAF}, {0x1F600, 0x1F64F}},
                              {{0xD000, 0xE100}, {0x10FFFF, 0x10FFFF}},
                              {{0x85, 0x12345}, {0x100000, 0x10ABCD}}};
  for (const CharRanges& ranges : cases) {
    const CharRanges made = grammar::normalized(ranges);
    const CharRanges rest = grammar::complement(made);
    const auto sequences = grammar::utf8_sequences(made);
    std::size_t wrong = 0;
    for (char32_t code = 0; code <= 0x10FFFF; ++code) {
      const bool character = code < 0xD800 || code >= 0xE000;
      const auto within = [&](const CharRanges& all) {
        return std::any_of(all.begin(), all.end(),
                           [&](auto r) { return r.first <= code && code <= r.last; });
      };
      const bool wanted = character && within(ranges);
      const std::string bytes = utf8_of(code);
      int ways = 0;
      for (const auto& sequence : sequences) {
        bool same = static_cast<std::size_t>(sequence.length) == bytes.size();
        for (std::size_t i = 0; same && i < bytes.size(); ++i) {
          const auto byte = static_cast<std::uint8_t>(bytes[i]);
          same = sequence.bytes[i].first <= byte && byte <= sequence.bytes[i].last;
        }
        ways += same ? 1 : 0;
      }
      wrong += ways != (wanted ? 1 : 0) || within(made) != wanted ||
               within(rest) != (character && !wanted);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("grammar: what has many ways to be read is read once") {
  const std::string many(2000, 'a');
  CHECK(takes(grammar_of("root ::= (\"a\" | \"a\")*"), many));
  CHECK(takes(grammar_of("root ::= (\"a\"* \"a\"*)* \"b\""), many + "b"));
  CHECK(takes(grammar_of("root ::= x x x x\nx ::= \"a\" x | \"a\" | \"\""), many));
  CHECK(takes(grammar_of("root ::= x?\nx ::= \"a\" x? \"b\" | \"a\" x? \"c\" | \"a\" x?"), many));
  CHECK_FALSE(takes(grammar_of("root ::= (\"a\" | \"aa\"){0,900}"), std::string(1801, 'a')));
  // A list is as deep as its items, not as long as it is.
  const auto list = grammar_of("root ::= item root | item\nitem ::= \"a\" ws\nws ::= (\" \" ws)?");
  grammar::Places places(list);
  grammar::Place place = places.start();
  for (int i = 0; i < 100000; ++i) place = places.next(place, i % 3 == 0 ? 'a' : ' ');
  CHECK(places.may_end(place));
  CHECK_FALSE(places.is_full());
}

TEST_CASE("grammar: places that are forgotten come again") {
  const auto grammar = grammar_of(
      "root ::= (value \" \")*\nvalue ::= \"[\" (value (\",\" value)*)? \"]\" | \"\\\"\" [^\"]* "
      "\"\\\"\"");
  grammar::Places kept(grammar);
  grammar::Places fresh(grammar);
  grammar::Place a = kept.start();
  grammar::Place b = fresh.start();
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    const std::string wanted = fresh.wanted(b);
    CHECK(kept.wanted(a) == wanted);
    const auto byte =
        static_cast<std::uint8_t>(wanted[static_cast<std::size_t>(i * 7) % wanted.size()]);
    a = kept.next(a, byte);
    b = fresh.next(b, byte);
    REQUIRE(b != grammar::kNowhere);
    CHECK(kept.may_end(a) == fresh.may_end(b));
    if (!fresh.may_go_on(b)) break;
    if (i % 10 == 0) {
      grammar::Place* const all[] = {&a};
      kept.forget(all);
    }
  }
}

}  // namespace
}  // namespace polaris
