#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/grammar/rules.h"

namespace polaris::grammar {

/// A number as digits say it: exact, of any size within kDigitsMax.
struct Decimal {
  bool negative = false;
  std::string whole = "0";  // without zeros at the front
  std::string fraction;     // without zeros at the end

  static constexpr std::size_t kDigitsMax = 400;
  /// As JSON writes numbers; nothing where it is none, or has too many digits.
  static std::optional<Decimal> parse(std::string_view text);
  bool is_zero() const { return whole == "0" && fraction.empty(); }
  bool is_whole() const { return fraction.empty(); }
  std::string text() const;
  friend bool operator==(const Decimal&, const Decimal&) = default;
};
/// Below, equal, above: less than, equal to or more than 0.
int compare(const Decimal& a, const Decimal& b);

struct NumberBounds {
  std::optional<Decimal> low;
  std::optional<Decimal> high;
  bool without_low = false;  // the bound itself is none of them
  bool without_high = false;
  /// Both: what either forbids.
  void meet(const NumberBounds& other);
};

/// Whole numbers within bounds, as JSON writes them, or with ".0"; nothing where there are none.
std::optional<ExprId> whole_numbers(Rules& rules, const NumberBounds& bounds);
/// Numbers within bounds, without exponent.
std::optional<ExprId> plain_numbers(Rules& rules, const NumberBounds& bounds);
/// The same, with exponents too where there is no bound.
std::optional<ExprId> all_numbers(Rules& rules, const NumberBounds& bounds);

}  // namespace polaris::grammar
