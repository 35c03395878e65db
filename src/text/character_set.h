#pragma once
#include <bitset>
#include <vector>

#include "text/unicode.h"

namespace polaris {

/// A set of characters as regular expressions write it: ranges, categories, white space.
class CharacterSet {
 public:
  void add_range(char32_t first, char32_t last, bool negated = false);
  void add_categories(CategoryMask mask, bool negated = false);
  void add_white_space(bool negated = false);
  void add(const CharacterSet& other);
  /// Ends the making of the set. `ignore_case`: holds a character where it holds it in either case.
  void close(bool negated, bool ignore_case);

  bool has(char32_t code) const { return code < 128 ? ascii_[code] : slow_has(code); }

 private:
  struct Item {
    enum class Kind : std::uint8_t { kRange, kCategories, kWhiteSpace } kind;
    bool negated = false;
    char32_t first = 0;
    char32_t last = 0;
    CategoryMask mask = 0;
  };
  bool any(char32_t code) const;
  bool slow_has(char32_t code) const;

  std::vector<Item> items_;
  std::bitset<128> ascii_;
  bool negated_ = false;
  bool ignore_case_ = false;
};

}  // namespace polaris
