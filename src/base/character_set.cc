#include "base/character_set.h"

#include <algorithm>
#include <iterator>

namespace polaris {

void CharacterSet::close(bool negated, bool ignore_case) {
  negated_ = negated;
  ignore_case_ = ignore_case;
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<std::pair<char32_t, char32_t>> merged;
  for (const auto& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, range.second);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
  for (std::size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = slow_has(static_cast<char32_t>(c));
}

bool CharacterSet::any(char32_t code) const {
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), code,
      [](char32_t c, const std::pair<char32_t, char32_t>& range) { return c < range.first; });
  if (after != ranges_.begin() && code <= std::prev(after)->second) return true;
  if (categories_ != 0 && (category_of(code) & categories_) != 0) return true;
  return (space_ || no_space_) && (is_white_space(code) ? space_ : no_space_);
}

bool CharacterSet::slow_has(char32_t code) const {
  bool in = any(code);
  // By way of upper case, so that the long s counts as an s.
  if (ignore_case_ && !in) in = any(to_lower(to_upper(code))) || any(to_upper(code));
  return in != negated_;
}

}  // namespace polaris
