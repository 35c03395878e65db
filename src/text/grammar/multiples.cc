#include "text/grammar/multiples.h"

#include <string>

#include "base/strings.h"

namespace polaris::grammar {

namespace {

/// `step` is parts / 10^places, `places` being the digits of its fraction; nothing where that is
/// too much.
std::optional<std::uint32_t> parts_of(const Decimal& step) {
  const std::uint64_t places = step.fraction.size();
  const std::string digits = step.whole + step.fraction;
  const std::size_t zeros = digits.find_first_not_of('0');
  const auto parts = parse_u64(zeros == std::string::npos ? "" : digits.substr(zeros));
  if (!parts || *parts > kMultiplesMax || *parts * (places + 2) > kMultiplesMax) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*parts);
}

}  // namespace

std::optional<bool> is_multiple(const Decimal& number, const Decimal& step) {
  const auto parts = parts_of(step);
  if (!parts) return std::nullopt;
  if (number.fraction.size() > step.fraction.size()) return false;
  std::uint64_t remainder = 0;
  for (const char digit : number.whole + number.fraction) {
    remainder = (remainder * 10 + static_cast<std::uint64_t>(digit - '0')) % *parts;
  }
  for (std::size_t i = number.fraction.size(); i < step.fraction.size(); ++i) {
    remainder = remainder * 10 % *parts;
  }
  return remainder == 0;
}

std::optional<ByteAutomaton> multiples_of(const Decimal& step) {
  const auto parts = parts_of(step);
  if (!parts) return std::nullopt;
  // What is read so far, as a whole number, is known by its remainder.
  const std::uint32_t count = *parts;
  const std::uint64_t places = step.fraction.size();
  ByteAutomaton out;
  const auto add_state = [&](bool ends) {
    out.ends.push_back(ends);
    return static_cast<std::uint32_t>(out.ends.size() - 1);
  };
  /// Whether it is a multiple where no more digits come but `left` places of zeros.
  const auto is_whole = [&](std::uint32_t remainder, std::uint64_t left) {
    std::uint64_t value = remainder;
    for (std::uint64_t i = 0; i < left; ++i) value = value * 10 % count;
    return value == 0;
  };
  const std::uint32_t start = add_state(false);
  const std::uint32_t behind_sign = add_state(false);
  const std::uint32_t zero = add_state(true);
  const auto first_whole = static_cast<std::uint32_t>(out.ends.size());
  for (std::uint32_t r = 0; r < count; ++r) add_state(is_whole(r, places));
  // Behind the point, so many digits read: 0 may not end, for one must come.
  const auto first_place = static_cast<std::uint32_t>(out.ends.size());
  for (std::uint64_t place = 0; place <= places; ++place) {
    for (std::uint32_t r = 0; r < count; ++r) {
      add_state(place > 0 && is_whole(r, places - place));
    }
  }
  const std::uint32_t only_zeros = add_state(true);
  const auto add = [&](std::uint32_t from, char first, char last, std::uint32_t to) {
    out.steps.push_back(
        {from, to, static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last)});
  };
  const auto add_digits = [&](std::uint32_t from, std::uint32_t remainder, char first,
                              std::uint32_t base) {
    for (char digit = first; digit <= '9'; ++digit) {
      const auto value = static_cast<std::uint32_t>(digit - '0');
      add(from, digit, digit, base + (remainder * 10 + value) % count);
    }
  };
  add(start, '-', '-', behind_sign);
  for (const std::uint32_t from : {start, behind_sign}) {
    add(from, '0', '0', zero);
    add_digits(from, 0, '1', first_whole);
  }
  add(zero, '.', '.', first_place);
  for (std::uint32_t r = 0; r < count; ++r) {
    add_digits(first_whole + r, r, '0', first_whole);
    add(first_whole + r, '.', '.', first_place + r);
    for (std::uint64_t place = 0; place < places; ++place) {
      const auto base = static_cast<std::uint32_t>(first_place + place * count);
      add_digits(base + r, r, '0', base + count);
    }
  }
  const auto last = static_cast<std::uint32_t>(first_place + places * count);
  add(last, '0', '0', only_zeros);
  add(only_zeros, '0', '0', only_zeros);
  return out;
}

}  // namespace polaris::grammar
