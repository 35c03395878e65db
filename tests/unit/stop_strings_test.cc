#include "text/stop_strings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace polaris {
namespace {

/// What is given out of `text` in pieces of so many bytes, before the end and with it.
struct Given {
  std::string streamed;
  std::string whole;
  bool stopped = false;
};

Given give(const std::vector<std::string>& stops, std::string_view text, std::size_t piece) {
  TextStream stream(stops);
  Given out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    out.streamed += stream.push(text.substr(at, piece));
  }
  out.stopped = stream.stopped();
  out.whole = out.streamed + stream.flush();
  return out;
}

/// The definition: the first place at which a stop string ends, and the longest that ends there.
std::string model(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (std::string_view(text).substr(0, end).ends_with(stop)) {
        longest = std::max(longest, stop.size());
      }
    }
    if (longest > 0) return text.substr(0, end - longest);
  }
  return text;
}

TEST_CASE("stop strings end the text across whatever borders") {
  const std::string text = "One two\n\nUser: three";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Given given = give({"\n\nUser:", "four"}, text, piece);
    CHECK(given.whole == "One two");
    CHECK(given.streamed == "One two");
    CHECK(given.stopped);
  }
}

TEST_CASE("what only began a stop string is given out once it cannot be one") {
  TextStream stream({"abcabd"});
  CHECK(stream.push("xabca") == "x");
  CHECK(stream.push("b") == "");
  CHECK(stream.push("c") == "abc");
  CHECK(stream.push("ab") == "");
  CHECK_FALSE(stream.stopped());
  CHECK(stream.flush() == "abcab");
  TextStream second({"abcabd"});
  CHECK(second.push("abcabcabd and more") == "abc");
  CHECK(second.stopped());
  CHECK(second.push("more") == "");
  CHECK(second.flush() == "");
}

TEST_CASE("stop strings of several bytes a character leave whole characters") {
  const std::string text = "größe 🙂 ende";
  for (std::size_t piece = 1; piece < 6; ++piece) {
    CHECK(give({"🙂"}, text, piece).whole == "größe ");
    CHECK(give({"🙃"}, text, piece).whole == text);
    CHECK(give({}, text, piece).whole == text);
  }
  // A character that is cut by the end of the text, not by a stop string.
  CHECK(give({"e"}, "gr\xC3", 1).whole == "gr\xEF\xBF\xBD");
  CHECK(give({"e"},
             "gr\xC3"
             "e",
             1)
            .whole == "gr\xEF\xBF\xBD");
}

TEST_CASE("stop strings as they are defined, on random texts over few letters") {
  std::mt19937_64 random(7);
  const auto letters = [&](std::uint64_t most) {
    std::string out;
    const std::uint64_t length = 1 + random() % most;
    for (std::uint64_t i = 0; i < length; ++i) out += static_cast<char>('a' + random() % 2);
    return out;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    const std::uint64_t count = 1 + random() % 3;
    for (std::uint64_t i = 0; i < count; ++i) stops.push_back(letters(7));
    const std::string text = letters(40);
    const std::string wanted = model(stops, text);
    const Given given = give(stops, text, 1 + random() % 4);
    REQUIRE(given.whole == wanted);
    REQUIRE(given.stopped == (wanted.size() < text.size()));
    REQUIRE(wanted.starts_with(given.streamed));
  }
}

TEST_CASE("stop strings that cannot be are refused") {
  const auto refused = [](const std::vector<std::string>& stops, std::string_view what) {
    const Status status = check_stop_strings(stops);
    REQUIRE_FALSE(status);
    CHECK_MESSAGE(status.error().message().find(what) != std::string::npos,
                  status.error().message());
  };
  CHECK(check_stop_strings({}));
  CHECK(check_stop_strings({"a", std::string(kStopBytesMax, 'x')}));
  refused({"a", ""}, "got 0 bytes");
  refused({std::string(kStopBytesMax + 1, 'x')}, "got 4097 bytes");
  refused({"\xC3"}, "wanted UTF-8");
  refused(std::vector<std::string>(kStopStringsMax + 1, "a"), "got 65, wanted at most 64");
}

}  // namespace
}  // namespace polaris
