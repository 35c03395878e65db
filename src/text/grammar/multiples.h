#pragma once
#include <optional>

#include "text/grammar/byte_automaton.h"
#include "text/grammar/number_range.h"

namespace polaris::grammar {

/// Numbers without exponent that are a number of times `step`, which is above 0; nothing where that
/// takes more than kMultiplesMax remainders and places behind the point.
std::optional<ByteAutomaton> multiples_of(const Decimal& step);
/// Whether a number is one of them.
std::optional<bool> is_multiple(const Decimal& number, const Decimal& step);
inline constexpr std::uint64_t kMultiplesMax = 4096;

}  // namespace polaris::grammar
