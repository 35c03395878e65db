#include "text/character_set.h"

#include <algorithm>

namespace polaris {

void CharacterSet::add_range(char32_t first, char32_t last, bool negated) {
  items_.push_back({Item::Kind::kRange, negated, first, last, 0});
}

void CharacterSet::add_categories(CategoryMask mask, bool negated) {
  items_.push_back({Item::Kind::kCategories, negated, 0, 0, mask});
}

void CharacterSet::add_white_space(bool negated) {
  items_.push_back({Item::Kind::kWhiteSpace, negated, 0, 0, 0});
}

void CharacterSet::add(const CharacterSet& other) {
  items_.insert(items_.end(), other.items_.begin(), other.items_.end());
}

void CharacterSet::close(bool negated, bool ignore_case) {
  negated_ = negated;
  ignore_case_ = ignore_case;
  for (std::size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = slow_has(static_cast<char32_t>(c));
}

bool CharacterSet::any(char32_t code) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    bool in = false;
    switch (item.kind) {
      case Item::Kind::kRange: in = code >= item.first && code <= item.last; break;
      case Item::Kind::kCategories: in = (category_of(code) & item.mask) != 0; break;
      case Item::Kind::kWhiteSpace: in = is_white_space(code); break;
    }
    return in != item.negated;
  });
}

bool CharacterSet::slow_has(char32_t code) const {
  bool in = any(code);
  // By way of upper case, so that the long s counts as an s.
  if (ignore_case_ && !in) in = any(to_lower(to_upper(code))) || any(to_upper(code));
  return in != negated_;
}

}  // namespace polaris
