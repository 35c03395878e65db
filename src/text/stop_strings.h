#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/utf8_stream.h"

namespace polaris {

inline constexpr std::size_t kStopStringsMax = 64;
inline constexpr std::size_t kStopBytesMax = 4096;  // of one

/// Errors: invalid where there are too many, or one is empty, too long or no UTF-8.
Status check_stop_strings(const std::vector<std::string>& stops);

/// Running text that ends where a stop string stands in it, across whatever borders its parts have.
/// Of a stop string nothing is given out. The first that is complete ends the text; of those
/// complete at once, the longest.
class StopStrings {
 public:
  /// `stops` as check_stop_strings lets them pass.
  explicit StopStrings(std::vector<std::string> stops = {});
  /// Adds text; returns what cannot be the beginning of a stop string any more. Nothing after a
  /// stop.
  std::string push(std::string_view bytes);
  /// What was held back, at the end of the text.
  std::string flush();
  bool stopped() const { return stopped_; }

 private:
  struct Stop {
    std::string text;
    std::vector<std::size_t> borders;  // Knuth, Morris and Pratt's, by length matched
    std::size_t matched = 0;           // bytes of `text` that what was pushed ends with
    void advance(char byte);
  };
  std::vector<Stop> stops_;
  std::string held_;
  bool stopped_ = false;
};

/// Pieces of tokens to text: ends at stop strings, and what it gives out is UTF-8 in whole
/// characters.
class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stops = {}) : stops_(std::move(stops)) {}
  std::string push(std::string_view piece);
  std::string flush();
  bool stopped() const { return stops_.stopped(); }

 private:
  StopStrings stops_;
  Utf8Stream utf8_;
};

}  // namespace polaris
