#include "pipeline/token_lookup.h"

#include <algorithm>

namespace polaris {

std::optional<Repeat> find_repeat(std::span<const TokenId> text, std::int64_t least,
                                  std::int64_t most) {
  const auto size = static_cast<std::int64_t>(text.size());
  const TokenId* const tokens = text.data();
  Repeat best{0, std::max<std::int64_t>(least, 1) - 1};
  for (std::int64_t end = size - 1; end > best.length; --end) {
    const std::int64_t limit = std::min(most, end);
    std::int64_t length = 0;
    while (length < limit && tokens[end - 1 - length] == tokens[size - 1 - length]) ++length;
    if (length <= best.length) continue;
    best = {end, length};
    if (length == most) break;
  }
  return best.next > 0 ? std::optional(best) : std::nullopt;
}

void copy_repeat(std::span<const TokenId> text, const Repeat& repeat, std::int64_t count,
                 std::vector<TokenId>& out) {
  const std::size_t first = out.size();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(repeat.next + i);
    out.push_back(at < text.size() ? text[at] : out[first + at - text.size()]);
  }
}

}  // namespace polaris
