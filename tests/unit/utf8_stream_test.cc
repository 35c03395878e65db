#include "text/utf8_stream.h"

#include <doctest/doctest.h>

#include <iterator>
#include <string>

#include "base/strings.h"

namespace polaris {
namespace {

TEST_CASE("a stream holds back half a character") {
  Utf8Stream stream;
  CHECK(stream.push("a\xE2\x82") == "a");
  CHECK(stream.push("\xAC") == "\xE2\x82\xAC");
  CHECK(stream.push("\xF0\x9F\x90") == "");
  CHECK(stream.push("x") == "\xEF\xBF\xBDx");
  CHECK(stream.push("\xFF") == "\xEF\xBF\xBD");
  CHECK(stream.push("\xC3") == "");
  CHECK(stream.flush() == "\xEF\xBF\xBD");
  CHECK(stream.flush().empty());
}

TEST_CASE("a stream gives out well-formed text whatever comes in, and keeps what is well-formed") {
  // Every sequence of up to four bytes from those that stand at the edges of UTF-8's table.
  const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2,
                                 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
  const std::size_t count = std::size(edges);
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < count * count * count * count; ++n) {
    std::string bytes;
    for (std::size_t i = 0, rest = n; i < 4; ++i, rest /= count) {
      bytes += static_cast<char>(edges[rest % count]);
    }
    Utf8Stream stream;
    std::string out;
    for (char c : bytes) {
      const std::string part = stream.push(std::string(1, c));
      for (std::size_t at = 0; at < part.size();) {
        const std::size_t length = utf8_length(std::string_view(part).substr(at));
        if (length == 0) ++wrong;
        at += length == 0 ? 1 : length;
      }
      out += part;
    }
    out += stream.flush();
    bool well_formed = true;
    for (std::size_t at = 0; well_formed && at < bytes.size();) {
      const std::size_t length = utf8_length(std::string_view(bytes).substr(at));
      well_formed = length > 0;
      at += length;
    }
    if (well_formed != (out == bytes)) ++wrong;
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace polaris
