#include "text/grammar/number_range.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace polaris::grammar {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int compare_whole(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_size(const Decimal& a, const Decimal& b) {
  if (const int whole = compare_whole(a.whole, b.whole); whole != 0) return whole;
  return a.fraction.compare(b.fraction);
}

/// A whole number without sign, more or less by one.
std::string next_up(std::string digits) {
  for (std::size_t i = digits.size(); i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return digits;
    }
    digits[i] = '0';
  }
  return "1" + digits;
}

std::string next_down(std::string digits) {
  for (std::size_t i = digits.size(); i-- > 0;) {
    if (digits[i] != '0') {
      --digits[i];
      break;
    }
    digits[i] = '9';
  }
  const std::size_t zeros = digits.find_first_not_of('0');
  return zeros == std::string::npos ? "0" : digits.substr(zeros);
}

/// What numbers without a sign are made of.
class Digits {
 public:
  explicit Digits(Rules& rules) : rules_(rules) {}

  ExprId digit(char first, char last) {
    return rules_.set({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
  }
  ExprId any(std::uint32_t min, std::uint32_t max) {
    return rules_.repeat(digit('0', '9'), min, max);
  }

  /// Whole numbers from `low` to `high`, of whatever length.
  std::optional<ExprId> whole(const std::string& low, const std::optional<std::string>& high) {
    if (high && compare_whole(low, *high) > 0) return std::nullopt;
    std::vector<ExprId> parts;
    const std::size_t longest = high ? high->size() : low.size();
    for (std::size_t length = low.size(); length <= longest; ++length) {
      const std::string first = length == low.size() ? low : "1" + std::string(length - 1, '0');
      const std::string last = high && length == longest ? *high : std::string(length, '9');
      parts.push_back(alike(first, last, 0, true, true));
    }
    if (!high) {
      const auto more = static_cast<std::uint32_t>(longest);
      parts.push_back(rules_.sequence({digit('1', '9'), any(more, kMany)}));
    }
    return rules_.choice(parts);
  }

  /// What follows the whole part: ".5" and the like, or nothing. From `low` to `high`, digits
  /// behind the point; nothing where no fraction will do.
  struct Ends {
    std::optional<std::string> low;
    std::optional<std::string> high;
    bool without_low = false;
    bool without_high = false;
  };
  std::optional<ExprId> fraction(const Ends& ends) {
    const bool low = ends.low.has_value();
    const bool high = ends.high.has_value();
    const auto more = after(ends, 0, low, high, true);
    std::vector<ExprId> parts;
    if (may_stop(ends, 0, low, high)) parts.push_back(rules_.empty());
    if (more) parts.push_back(rules_.sequence({rules_.text("."), *more}));
    if (parts.empty()) return std::nullopt;
    return rules_.choice(parts);
  }

 private:
  /// Of equal length, digits from `at` on; whether what is before is all of low's, all of high's.
  ExprId alike(const std::string& low, const std::string& high, std::size_t at, bool as_low,
               bool as_high) {
    const auto left = static_cast<std::uint32_t>(low.size() - at);
    if (left == 0) return rules_.empty();
    if (!as_low && !as_high) return any(left, left);
    const char first = as_low ? low[at] : '0';
    const char last = as_high ? high[at] : '9';
    std::vector<ExprId> parts;
    if (first == last) {
      return rules_.sequence({digit(first, last), alike(low, high, at + 1, as_low, as_high)});
    }
    const char from = as_low ? static_cast<char>(first + 1) : first;
    const char to = as_high ? static_cast<char>(last - 1) : last;
    if (as_low) {
      parts.push_back(
          rules_.sequence({digit(first, first), alike(low, high, at + 1, true, false)}));
    }
    if (from <= to) parts.push_back(rules_.sequence({digit(from, to), any(left - 1, left - 1)}));
    if (as_high) {
      parts.push_back(rules_.sequence({digit(last, last), alike(low, high, at + 1, false, true)}));
    }
    return rules_.choice(parts);
  }

  static bool rest_is_zero(const std::string& digits, std::size_t at) {
    return at >= digits.size() || digits.find_first_not_of('0', at) == std::string::npos;
  }
  static bool may_stop(const Ends& ends, std::size_t at, bool as_low, bool as_high) {
    if (as_low && (!rest_is_zero(*ends.low, at) || ends.without_low)) return false;
    return !as_high || !ends.without_high || !rest_is_zero(*ends.high, at);
  }

  /// Digits from `at` on; one at least where `some`.
  std::optional<ExprId> after(const Ends& ends, std::size_t at, bool as_low, bool as_high,
                              bool some) {
    const bool stops = !some && may_stop(ends, at, as_low, as_high);
    if (!as_low && !as_high) return any(some ? 1 : 0, kMany);
    const bool low_over = !as_low || at >= ends.low->size();
    const bool high_over = !as_high || at >= ends.high->size();
    if (low_over && high_over) {
      const ExprId zeros = rules_.repeat(digit('0', '0'), some ? 1 : 0, kMany);
      if (as_high) {  // nothing but zeros is no more
        if (ends.without_high || (as_low && ends.without_low)) return std::nullopt;
        return zeros;
      }
      if (!ends.without_low) return any(some ? 1 : 0, kMany);
      return rules_.sequence(
          {rules_.repeat(digit('0', '0'), 0, kMany), digit('1', '9'), any(0, kMany)});
    }
    const char first = !as_low ? '0' : low_over ? '0' : (*ends.low)[at];
    const char last = !as_high ? '9' : high_over ? '0' : (*ends.high)[at];
    std::vector<ExprId> parts;
    if (stops) parts.push_back(rules_.empty());
    for (char c = first; c <= last; ++c) {
      const bool low = as_low && c == first;
      const bool high = as_high && c == last;
      const auto more = after(ends, at + 1, low, high, false);
      if (more) parts.push_back(rules_.sequence({digit(c, c), *more}));
    }
    if (parts.empty()) return std::nullopt;
    return rules_.choice(parts);
  }

  Rules& rules_;
};

/// Bounds of the numbers without their sign; nothing where there are none.
std::optional<NumberBounds> sized(const NumberBounds& bounds, bool negative) {
  NumberBounds out = bounds;
  if (negative) {
    std::swap(out.low, out.high);
    std::swap(out.without_low, out.without_high);
    for (auto* bound : {&out.low, &out.high}) {
      if (*bound) (*bound)->negative = !(*bound)->negative && !(*bound)->is_zero();
    }
  }
  if (out.high && out.high->negative) return std::nullopt;
  if (!out.low || out.low->negative) {
    out.low = Decimal();
    out.without_low = negative;  // of -0 there is no need
  } else if (negative && out.low->is_zero()) {
    out.without_low = true;
  }
  return out;
}

std::optional<ExprId> whole_of_sign(Rules& rules, const NumberBounds& bounds) {
  std::string low = bounds.low->whole;
  if (!bounds.low->is_whole() || bounds.without_low) low = next_up(low);
  std::optional<std::string> high;
  if (bounds.high) {
    high = bounds.high->whole;
    if (bounds.high->is_whole() && bounds.without_high) {
      if (bounds.high->is_zero()) return std::nullopt;
      high = next_down(*high);
    }
  }
  return Digits(rules).whole(low, high);
}

std::optional<ExprId> any_of_sign(Rules& rules, const NumberBounds& bounds) {
  Digits digits(rules);
  std::vector<ExprId> parts;
  const auto add = [&](std::optional<ExprId> whole, const Digits::Ends& ends) {
    const auto fraction = whole ? digits.fraction(ends) : std::nullopt;
    if (fraction) parts.push_back(rules.sequence({*whole, *fraction}));
  };
  const Decimal& low = *bounds.low;
  const bool same = bounds.high && bounds.high->whole == low.whole;
  if (bounds.high && compare_size(low, *bounds.high) > 0) return std::nullopt;
  Digits::Ends ends{low.fraction, std::nullopt, bounds.without_low, bounds.without_high};
  if (same) ends.high = bounds.high->fraction;
  add(rules.text(low.whole), ends);
  if (!same) {
    std::optional<std::string> last;
    if (bounds.high) last = next_down(bounds.high->whole);
    add(digits.whole(next_up(low.whole), last), {});
    if (bounds.high) {
      add(rules.text(bounds.high->whole),
          {std::nullopt, bounds.high->fraction, false, bounds.without_high});
    }
  }
  if (parts.empty()) return std::nullopt;
  return rules.choice(parts);
}

template <class Make>
std::optional<ExprId> of_both_signs(Rules& rules, const NumberBounds& bounds, Make&& make) {
  std::vector<ExprId> parts;
  for (const bool negative : {false, true}) {
    const auto without_sign = sized(bounds, negative);
    const auto made = without_sign ? make(rules, *without_sign) : std::nullopt;
    if (!made) continue;
    parts.push_back(negative ? rules.sequence({rules.text("-"), *made}) : *made);
  }
  if (parts.empty()) return std::nullopt;
  return rules.choice(parts);
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  if (at < text.size() && text[at] == '-') {
    out.negative = true;
    ++at;
  }
  std::string digits;
  std::int64_t point = -1;
  for (; at < text.size() && (is_digit(text[at]) || text[at] == '.'); ++at) {
    if (text[at] == '.') {
      point = static_cast<std::int64_t>(digits.size());
    } else {
      digits += text[at];
    }
  }
  if (digits.empty() || digits.size() > kDigitsMax) return std::nullopt;
  if (point < 0) point = static_cast<std::int64_t>(digits.size());
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    ++at;
    const bool less = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    std::int64_t exponent = 0;
    for (; at < text.size(); ++at) {
      if (!is_digit(text[at]) || exponent > static_cast<std::int64_t>(kDigitsMax))
        return std::nullopt;
      exponent = exponent * 10 + (text[at] - '0');
    }
    point += less ? -exponent : exponent;
  }
  constexpr auto kMost = static_cast<std::int64_t>(kDigitsMax);
  if (point > kMost || point < -kMost) return std::nullopt;
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  if (point > static_cast<std::int64_t>(digits.size())) {
    digits.resize(static_cast<std::size_t>(point), '0');
  }
  out.whole = digits.substr(0, static_cast<std::size_t>(point));
  out.fraction = digits.substr(static_cast<std::size_t>(point));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  if (out.whole.empty()) out.whole = "0";
  while (out.fraction.ends_with('0')) out.fraction.pop_back();
  if (out.is_zero()) out.negative = false;
  return out;
}

std::string Decimal::text() const {
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? compare_size(b, a) : compare_size(a, b);
}

void NumberBounds::meet(const NumberBounds& other) {
  if (other.low) {
    const int order = low ? compare(*other.low, *low) : 1;
    if (order >= 0) without_low = other.without_low || (order == 0 && without_low);
    if (order > 0) low = other.low;
  }
  if (other.high) {
    const int order = high ? compare(*other.high, *high) : -1;
    if (order <= 0) without_high = other.without_high || (order == 0 && without_high);
    if (order < 0) high = other.high;
  }
}

std::optional<ExprId> whole_numbers(Rules& rules, const NumberBounds& bounds) {
  auto made = of_both_signs(rules, bounds, whole_of_sign);
  if (!bounds.low && !bounds.high) {
    Digits digits(rules);
    made = rules.sequence(
        {rules.repeat(rules.text("-"), 0, 1),
         rules.choice(
             {rules.text("0"), rules.sequence({digits.digit('1', '9'), digits.any(0, kMany)})})});
  }
  if (!made) return std::nullopt;
  return rules.sequence({*made, rules.repeat(rules.text(".0"), 0, 1)});
}

std::optional<ExprId> plain_numbers(Rules& rules, const NumberBounds& bounds) {
  return of_both_signs(rules, bounds, any_of_sign);
}

std::optional<ExprId> all_numbers(Rules& rules, const NumberBounds& bounds) {
  if (bounds.low || bounds.high) return plain_numbers(rules, bounds);
  Digits digits(rules);
  const ExprId whole = rules.choice(
      {rules.text("0"), rules.sequence({digits.digit('1', '9'), digits.any(0, kMany)})});
  const ExprId fraction = rules.sequence({rules.text("."), digits.any(1, kMany)});
  const ExprId exponent = rules.sequence({rules.set({{'e', 'e'}, {'E', 'E'}}),
                                          rules.repeat(rules.set({{'+', '+'}, {'-', '-'}}), 0, 1),
                                          digits.any(1, kMany)});
  return rules.sequence({rules.repeat(rules.text("-"), 0, 1), whole, rules.repeat(fraction, 0, 1),
                         rules.repeat(exponent, 0, 1)});
}

}  // namespace polaris::grammar
