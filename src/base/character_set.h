#pragma once
#include <bitset>
#include <utility>
#include <vector>

#include "base/unicode.h"

namespace polaris {

/// A set of characters as regular expressions write it: ranges, categories, white space. Asking
/// takes a few steps however long the set was to write.
class CharacterSet {
 public:
  void add_range(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
  void add_categories(CategoryMask mask, bool negated) { categories_ |= negated ? ~mask : mask; }
  void add_white_space(bool negated) { (negated ? no_space_ : space_) = true; }
  /// Ends the making of the set. `ignore_case`: holds a character where it holds it in either case.
  void close(bool negated, bool ignore_case);

  bool has(char32_t code) const { return code < 128 ? ascii_[code] : slow_has(code); }

 private:
  bool any(char32_t code) const;
  bool slow_has(char32_t code) const;

  std::vector<std::pair<char32_t, char32_t>> ranges_;  // once closed: in order and apart
  CategoryMask categories_ = 0;
  bool space_ = false;
  bool no_space_ = false;
  std::bitset<128> ascii_;
  bool negated_ = false;
  bool ignore_case_ = false;
};

}  // namespace polaris
