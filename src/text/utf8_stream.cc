#include "text/utf8_stream.h"

#include "base/strings.h"

namespace polaris {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Whether more bytes could make `text`, up to three of them, one whole character.
bool may_become_whole(std::string_view text) {
  // The lowest and the highest continuation between them reach every second byte that is allowed.
  for (const char fill : {'\x80', '\xBF'}) {
    std::string tried(text);
    while (tried.size() < 4) {
      tried += fill;
      if (utf8_length(tried) == tried.size()) return true;
    }
  }
  return false;
}

}  // namespace

std::string Utf8Stream::push(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(at);
    const std::size_t length = utf8_length(rest.substr(0, 4));
    if (length > 0) {
      out += rest.substr(0, length);
      at += length;
      continue;
    }
    if (rest.size() < 4 && may_become_whole(rest)) break;
    // One sign for as much as may have begun a character, as Unicode advises.
    std::size_t bad = 1;
    while (bad < 3 && bad + 1 <= rest.size() && may_become_whole(rest.substr(0, bad + 1))) ++bad;
    out += kReplacement;
    at += bad;
  }
  pending_.erase(0, at);
  return out;
}

std::string Utf8Stream::flush() {
  std::string out = pending_.empty() ? std::string() : std::string(kReplacement);
  pending_.clear();
  return out;
}

}  // namespace polaris
