#pragma once
#include <string>
#include <string_view>

namespace polaris {

/// Splits decoded bytes at UTF-8 boundaries for streaming: a character's bytes may come in several
/// tokens. What it gives out is well-formed UTF-8, whatever it is given.
class Utf8Stream {
 public:
  /// Adds bytes; returns the complete characters so far (malformed bytes become U+FFFD).
  std::string push(std::string_view bytes);
  /// What is left at the end, malformed bytes replaced.
  std::string flush();

 private:
  std::string pending_;
};

}  // namespace polaris
