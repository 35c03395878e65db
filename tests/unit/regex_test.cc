#include "base/regex.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "text/decoded_text.h"
#include "text/normalizer.h"

namespace polaris {
namespace {

/// Matches, joined with '|'; "?" before an error.
std::string found(const std::string& pattern, const std::string& text) {
  const auto regex = Regex::compile(pattern);
  if (!regex) return "?" + regex.error().message();
  const DecodedText decoded(text);
  std::int64_t budget = regex_budget(decoded.codes.size());
  std::string out;
  for (std::size_t at = 0; at < decoded.codes.size();) {
    const auto match = (*regex).find(decoded.codes, at, budget);
    if (!match) return "?" + match.error().message();
    const auto [begin, end] = *match;
    if (end > begin) {
      if (!out.empty()) out += '|';
      out += text.substr(decoded.offsets[begin], decoded.offsets[end] - decoded.offsets[begin]);
    }
    at = end;
  }
  return out;
}

TEST_CASE("sets, repeats and groups match as in other engines") {
  struct Case {
    const char* pattern;
    const char* text;
    const char* wanted;
  };
  const Case cases[] = {
      {"a|ab", "ab", "a"},
      {"ab|a", "ab", "ab"},
      {"a*b", "aaab b ab", "aaab|b|ab"},
      {"a*?b", "aaab", "aaab"},
      {"a+?", "aaa", "a|a|a"},
      {"a++a", "aaa", ""},
      {"(?>a|ab)c", "abc", ""},
      {"(a|ab)c", "abc", "abc"},
      {"a{2}", "aaaaa", "aa|aa"},
      {"a{2,}", "aaaaa", "aaaaa"},
      {"a{1,3}", "aaaaa", "aaa|aa"},
      {"(ab){2,3}", "ababababab", "ababab|abab"},
      {"(?:ab)*c", "ababc", "ababc"},
      {"[^a-c]+", "abcdef", "def"},
      {"[]a]+", "]a]b", "]a]"},
      {"[a\\-z]+", "a-zb", "a-z"},
      {"[a-]+", "a-b", "a-"},
      {"\\d+", "a12\u0663b", "12\u0663"},
      {"\\w+", "a_1 \u00e9!", "a_1|\u00e9"},
      {"\\s+", "a \u00a0\u3000b", " \u00a0\u3000"},
      {"[^\\S\\n]+", "a \t\n b", " \t| "},
      {"\\p{Lu}\\p{Ll}*", "abCde\u00c9t\u00e9", "Cde|\u00c9t\u00e9"},
      {"\\P{L}+", "ab12c", "12"},
      {"[\\p{L}&]+", "a&b c", "a&b|c"},
      {"\\s+(?!\\S)", "a   b", "  "},
      {"a(?=b)", "ab ac", "a"},
      {"(?<=a)b", "ab cb", "b"},
      {"(?<!a)b", "ab cb", "b"},
      {"(?i:'s|'LL)", "'S 'll 'x", "'S|'ll"},
      {"(?i)abc", "ABC abC", "ABC|abC"},
      {"(?i:'s)", "'\u017f", "'\u017f"},
      {"\\bab\\b", "ab cab ab", "ab|ab"},
      {"a$", "a\nba", "a|a"},
      {"^a", "a\nab a", "a|a"},
      {"\\Aa", "a\na", "a"},
      {"a\\z", "a\na", "a"},
      {".+", "ab\ncd", "ab|cd"},
      {"\\x41\\x{42}\\u0043", "ABC", "ABC"},
      {"((?=\\p{L})([^a-z]))+", "ABc1D", "AB|D"},
      {"x?", "axb", "x"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    CHECK(found(c.pattern, c.text) == c.wanted);
  }
}

TEST_CASE("malformed bytes are characters of no class") {
  CHECK(found("\\p{L}+",
              "a\xFF"
              "b") == "a|b");
  CHECK(found("[^\\s\\p{L}]+", "a\xFF\xFE b") == "\xFF\xFE");
  CHECK(found("\\S+", "a\xC3 b") == "a\xC3|b");
}

TEST_CASE("what is no pattern, or one that we do not have, is refused") {
  for (const char* pattern : {"(", ")", "[", "a{2", "*", "a{3,2}", "[z-a]", "\\", "(?", "a{2000}",
                              "\\x{110000}", "\\x{}", "(?<=", "[a", "(?:a"}) {
    CAPTURE(pattern);
    const auto regex = Regex::compile(pattern);
    REQUIRE_FALSE(regex.ok());
    CHECK(regex.error().message().starts_with("[regex] pattern, got "));
  }
  for (const char* pattern :
       {"(a)\\1", "\\p{Han}", "(a*)*", "(?<name>a)", "[[:alpha:]]", "[a&&b]", "(?<=ab)c", "\\Ga"}) {
    CAPTURE(pattern);
    const auto regex = Regex::compile(pattern);
    REQUIRE_FALSE(regex.ok());
    CHECK(regex.error().code() == ErrorCode::kUnsupported);
  }
  CHECK_FALSE(Regex::compile(std::string(40, '(') + "a" + std::string(40, ')')).ok());
  CHECK_FALSE(Regex::compile(std::string(1 << 15, 'a')).ok());
  CHECK_FALSE(Regex::compile("((a{1000}b){1000}c){1000}").ok());
}

TEST_CASE("no pattern takes long over any text") {
  const std::string as(20000, 'a');
  // Exponential, cubic and quadratic for an engine that tries all ways.
  for (const char* pattern :
       {"(a+)+b", "(a|a)+b", "(a|aa)+$x", "a*a*a*b", "(?=(a+)+b)a", "a*b|."}) {
    CAPTURE(pattern);
    const std::string got = found(pattern, as);
    CHECK(got.starts_with("?[regex] steps"));
  }
  CHECK(found("a+", as) == as);
  CHECK(found("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", std::string(20000, ' ')) ==
        std::string(20000, ' '));
}

}  // namespace
}  // namespace polaris
