#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

/// What is left of a text that has reached its context: its first `keep` tokens, and of the rest
/// all but the oldest half, rounded up.
std::vector<TokenId> shifted_text(std::span<const TokenId> text, std::int64_t keep);

}  // namespace polaris
