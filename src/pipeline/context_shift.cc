#include "pipeline/context_shift.h"

#include <algorithm>

namespace polaris {

std::vector<TokenId> shifted_text(std::span<const TokenId> text, std::int64_t keep) {
  const auto kept =
      std::min(static_cast<std::size_t>(std::max<std::int64_t>(keep, 0)), text.size());
  const std::span<const TokenId> rest = text.subspan(kept);
  const std::span<const TokenId> newest = rest.last(rest.size() / 2);
  std::vector<TokenId> out;
  out.reserve(kept + newest.size());
  out.insert(out.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(kept));
  out.insert(out.end(), newest.begin(), newest.end());
  return out;
}

}  // namespace polaris
