#include "wire/json.h"

#include <doctest/doctest.h>

#include <string>

namespace polaris {
namespace {

TEST_CASE("values come out as they were written") {
  const std::string text =
      R"( {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\n\u00e9\ud83d\udc3b\"/"}, "": ""} )";
  const auto document = JsonDocument::parse(text);
  REQUIRE_MESSAGE(document.ok(), document.error().message());
  const JsonValue root = (*document).root();
  REQUIRE(root.is(JsonKind::kObject));
  CHECK(root.size() == 3);
  JsonValue v = root["a"].first();
  CHECK(v.i64() == 1);
  v = v.next();
  CHECK(v.number() == -2500.0);
  CHECK_FALSE(v.i64());
  v = v.next();
  CHECK(v.boolean() == true);
  v = v.next();
  CHECK(v.boolean() == false);
  v = v.next();
  CHECK(v.is(JsonKind::kNull));
  CHECK_FALSE(v.next());
  CHECK(root["b"]["c"].text() == "x\n\u00e9\U0001f43b\"/");
  CHECK(root[""].text() == "");
  CHECK_FALSE(root["none"]["deeper"]);
  CHECK_FALSE(root["a"].text());
}

TEST_CASE("what is no JSON is refused with its place") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{a:1}",
                           "[1 2]",
                           "tru",
                           "01",
                           "-",
                           "1.",
                           "1e",
                           ".5",
                           "+1",
                           "\"",
                           "\"\\q\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\n\"",
                           "\"\xFF\"",
                           "{} {}",
                           "nul",
                           "[1",
                           "NaN",
                           "'a'"}) {
    CAPTURE(text);
    const auto document = JsonDocument::parse(text);
    REQUIRE_FALSE(document.ok());
    CHECK(document.error().message().starts_with("[json] at byte "));
  }
}

TEST_CASE("depth is bounded") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK(JsonDocument::parse(nested(JsonDocument::kDepthMax)).ok());
  CHECK_FALSE(JsonDocument::parse(nested(JsonDocument::kDepthMax + 2)).ok());
  CHECK_FALSE(JsonDocument::parse(std::string(1 << 20, '[')).ok());
}

}  // namespace
}  // namespace polaris
