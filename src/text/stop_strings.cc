#include "text/stop_strings.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace polaris {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

Status check_stop_strings(const std::vector<std::string>& stops) {
  if (stops.size() > kStopStringsMax) {
    return Error::invalid("[generate] stop strings, got " + std::to_string(stops.size()) +
                          ", wanted at most " + std::to_string(kStopStringsMax));
  }
  for (const std::string& stop : stops) {
    if (stop.empty() || stop.size() > kStopBytesMax) {
      return Error::invalid("[generate] stop string, got " + std::to_string(stop.size()) +
                            " bytes, wanted 1 to " + std::to_string(kStopBytesMax));
    }
    if (!is_utf8(stop)) {
      return Error::invalid("[generate] stop string, got '" + printable(stop) + "', wanted UTF-8");
    }
  }
  return Status::success();
}

StopStrings::StopStrings(std::vector<std::string> stops) {
  for (std::string& text : stops) {
    Stop stop{std::move(text), {0, 0}, 0};
    std::size_t length = 0;
    for (std::size_t i = 1; i < stop.text.size(); ++i) {
      while (length > 0 && stop.text[i] != stop.text[length]) length = stop.borders[length];
      if (stop.text[i] == stop.text[length]) ++length;
      stop.borders.push_back(length);
    }
    stops_.push_back(std::move(stop));
  }
}

void StopStrings::Stop::advance(char byte) {
  while (matched > 0 && text[matched] != byte) matched = borders[matched];
  if (text[matched] == byte) ++matched;
}

std::string StopStrings::push(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    if (stopped_) break;
    held_ += byte;
    std::size_t ends = 0;   // bytes of the longest that is complete
    std::size_t holds = 0;  // bytes that one may begin with
    for (Stop& stop : stops_) {
      stop.advance(byte);
      if (stop.matched == stop.text.size()) ends = std::max(ends, stop.matched);
      holds = std::max(holds, stop.matched);
    }
    stopped_ = ends > 0;
    const std::size_t keep = stopped_ ? ends : holds;
    out.append(held_, 0, held_.size() - keep);
    held_.erase(0, stopped_ ? held_.size() : held_.size() - keep);
  }
  return out;
}

std::string StopStrings::flush() { return std::exchange(held_, {}); }

std::string TextStream::push(std::string_view piece) {
  std::string out = utf8_.push(stops_.push(piece));
  if (stops_.stopped()) out += utf8_.flush();
  return out;
}

std::string TextStream::flush() {
  std::string out = utf8_.push(stops_.flush());
  return out + utf8_.flush();
}

}  // namespace polaris
