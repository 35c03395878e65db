#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace polaris {

/// A place in the text, counted from 1; columns are bytes.
struct TextPlace {
  int line = 1;
  int column = 1;
};

/// `[text] line:column: what`.
Error text_error(TextPlace place, std::string_view what);

struct TextToken {
  enum class Kind : std::uint8_t {
    kEnd,
    kWord,      // Add, polaris.Linear, float32, true, inf
    kNumber,    // 1, -2.5e-3, -inf
    kString,    // "..."; text holds the unescaped bytes
    kValue,     // %name or %"name"; text holds the name
    kVariable,  // $name
    kMark,      // one of ( ) { } [ ] , : = _ ? * and =>
  };
  Kind kind = Kind::kEnd;
  std::string text;
  TextPlace place;
};

/// Cuts text IR into tokens. `#` starts a comment that ends with its line.
class TextLexer {
 public:
  explicit TextLexer(std::string_view text) : text_(text) {}
  /// Errors: invalid on a character that starts no token, an unterminated string, a name or
  /// string of more than 4096 bytes.
  Result<TextToken> next();
  /// The characters of the string that comes next, as they stand and of any length (base64).
  Result<std::string_view> raw_string();
  TextPlace place() const { return place_; }

 private:
  void skip_space();
  void advance();
  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Result<std::string> quoted();

  std::string_view text_;
  std::size_t at_ = 0;
  TextPlace place_;
};

/// Whether `name` can stand after % or as a symbol without quotes.
bool is_bare_value_name(std::string_view name);
bool is_bare_word(std::string_view name);
/// `"..."` with escapes.
std::string quote_text(std::string_view text);

}  // namespace polaris
