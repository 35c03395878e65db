#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

/// Where the end of a text stood in it before.
struct Repeat {
  std::int64_t next = 0;    // index of the token that followed it there
  std::int64_t length = 0;  // tokens that are equal
};

/// The longest of the text's ends, `least` to `most` tokens, that stand in it earlier; of equals
/// the last before the end. It may overlap the end itself.
std::optional<Repeat> find_repeat(std::span<const TokenId> text, std::int64_t least,
                                  std::int64_t most);

/// Appends the `count` tokens that follow there: as if the text repeated itself on.
void copy_repeat(std::span<const TokenId> text, const Repeat& repeat, std::int64_t count,
                 std::vector<TokenId>& out);

}  // namespace polaris
