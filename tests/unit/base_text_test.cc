#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/strings.h"

namespace polaris {
namespace {

TEST_CASE("numbers are parsed whole or not at all") {
  CHECK(parse_i64("-42") == -42);
  CHECK(parse_i64("9223372036854775807") == INT64_MAX);
  for (std::string_view bad : {"", " 1", "1 ", "+1", "0x10", "9223372036854775808", "1e3"}) {
    CHECK_FALSE(parse_i64(bad).has_value());
  }
  CHECK(parse_u64("18446744073709551615") == UINT64_MAX);
  CHECK_FALSE(parse_u64("-1").has_value());
  CHECK(parse_f64("-1.5e3") == -1500.0);
  CHECK(parse_f64("inf") == std::numeric_limits<double>::infinity());
  CHECK_FALSE(parse_f64("1.5x").has_value());
  CHECK(parse_f64(format_f64(0.1)) == 0.1);
  CHECK(format_f32(0.1f) == "0.1");
}

TEST_CASE("text helpers") {
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(trim(" \t x y\r\n") == "x y");
  CHECK(trim("  ").empty());
  CHECK(printable("a\n\xff") == "a\\x0a\\xff");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(utf8_length("\xE2\x82\xAC") == 3);
  CHECK(utf8_length("\xF0\x9F\x98\x80") == 4);
  for (std::string_view bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
                               "\xF4\x90\x80\x80", "\xF8"}) {
    CHECK(utf8_length(bad) == 0);
  }
}

TEST_CASE("JSON is escaped and separated") {
  JsonWriter json;
  json.begin_object().field("a\"b", "x\n\x01\\\xff\xE2\x82\xAC");
  json.key("list").begin_array().value(1).value(-2.5).value(true).null();
  json.value(std::numeric_limits<double>::quiet_NaN()).value(UINT64_MAX).value(0.1f);
  json.begin_object().end_object().end_array().field("n", std::int64_t{-7}).end_object();
  CHECK(json.text() ==
        "{\"a\\\"b\":\"x\\n\\u0001\\\\\\ufffd\xE2\x82\xAC\",\"list\":[1,-2.5,true,null,null,"
        "18446744073709551615,0.1,{}],\"n\":-7}");
}

TEST_CASE("hashes match XXH3's published vectors and do not depend on the parts") {
  // XXH3_128bits of no bytes, from xxHash's own sanity test.
  CHECK(hash_text("").hex() == "99aa06d3014798d86001c324468d497f");
  const std::string text(1000, 'p');
  Hasher parts;
  parts.add(std::as_bytes(std::span(text.data(), 1)));
  parts.add(std::as_bytes(std::span(text.data() + 1, 999)));
  CHECK(parts.finish() == hash_text(text));
  Hasher a;
  a.add_text("ab");
  a.add_text("c");
  Hasher b;
  b.add_text("a");
  b.add_text("bc");
  CHECK(a.finish() != b.finish());
}

TEST_CASE("a logger passes what its level lets through") {
  std::vector<std::string> lines;
  const Logger logger(
      LogLevel::kInfo,
      [](void* context, LogLevel level, std::string_view text) {
        static_cast<std::vector<std::string>*>(context)->push_back(
            std::string(log_level_name(level)) + " " + std::string(text));
      },
      &lines);
  logger.warning("one");
  logger.debug("two");
  logger.info("three");
  CHECK(lines == std::vector<std::string>{"warning one", "info three"});
  CHECK(log_level_from_name("debug") == LogLevel::kDebug);
  CHECK_FALSE(log_level_from_name("loud").has_value());
}

}  // namespace
}  // namespace polaris
