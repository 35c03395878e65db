#include "text/grammar/token_tries.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/strings.h"

namespace polaris::grammar {
namespace {

/// Tokens are kept by how long they are, up to these numbers of bytes; longer ones together.
constexpr std::uint32_t kBytesMax[] = {2, 4, 8, 16, 32};
/// And those within them by how many plain characters they are, up to so many.
constexpr std::uint32_t kPlainExact = 16;

/// Characters of a text that is plain, or 0.
std::uint32_t plain_length(std::string_view text) {
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const std::size_t bytes = utf8_length(text.substr(at, 4));
    if (bytes == 0 || !is_plain(static_cast<std::uint8_t>(text[at]))) return 0;
    at += bytes;
  }
  return count;
}

/// Of tokens in the order of their texts, each text once.
void make_nodes(std::span<const TokenId> tokens, std::span<const std::string> texts,
                std::vector<TokenTree::Node>& out) {
  std::vector<std::uint32_t> way;  // nodes of the text before
  std::string_view before;
  for (const TokenId token : tokens) {
    const std::string_view text = texts[static_cast<std::size_t>(token)];
    const auto same = static_cast<std::size_t>(
        std::mismatch(text.begin(), text.end(), before.begin(), before.end()).first - text.begin());
    while (way.size() > same) {
      out[way.back()].after = static_cast<std::uint32_t>(out.size());
      way.pop_back();
    }
    for (std::size_t at = same; at < text.size(); ++at) {
      way.push_back(static_cast<std::uint32_t>(out.size()));
      out.push_back({0, -1, static_cast<std::uint16_t>(at), static_cast<std::uint8_t>(text[at])});
    }
    out.back().token = token;
    before = text;
  }
  for (const std::uint32_t node : way) out[node].after = static_cast<std::uint32_t>(out.size());
}

struct Part {
  std::vector<TokenId> tokens;
  std::uint32_t plain_min = 0;
  std::uint32_t plain_max = 0;
};

bool writes(const Tokenizer& tokenizer, TokenId id, std::span<const TokenId> ends) {
  if (!tokenizer.vocabulary().contains(id)) return false;
  if (tokenizer.vocabulary().token(id).kind == TokenKind::kUnknown) return false;
  return std::find(ends.begin(), ends.end(), id) == ends.end();
}

}  // namespace

TokenTries::TokenTries(const Tokenizer& tokenizer, std::size_t width, std::span<const TokenId> ends)
    : texts_(width) {
  std::vector<TokenId> order;
  for (std::size_t i = 0; i < width; ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!writes(tokenizer, id, ends)) continue;
    texts_[i] = tokenizer.piece(id);
    bytes_max_ = std::max(bytes_max_, texts_[i].size());
    if (!texts_[i].empty()) order.push_back(id);
  }
  const auto text_of = [&](TokenId id) -> const std::string& {
    return texts_[static_cast<std::size_t>(id)];
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](TokenId a, TokenId b) { return text_of(a) < text_of(b); });
  using Kind = std::pair<std::uint32_t, std::uint32_t>;  // bytes at most, plain characters
  std::map<Kind, Part> parts;
  TokenId first = -1;
  for (const TokenId id : order) {
    if (first >= 0 && text_of(first) == text_of(id)) {
      twins_.emplace_back(first, id);
      continue;
    }
    first = id;
    const std::size_t bytes = text_of(id).size();
    const auto* bound = std::find_if(std::begin(kBytesMax), std::end(kBytesMax),
                                     [&](std::uint32_t most) { return bytes <= most; });
    const bool longest = bound == std::end(kBytesMax);
    const std::uint32_t plain = longest ? 0 : plain_length(text_of(id));
    const auto bytes_max = longest ? static_cast<std::uint32_t>(bytes_max_) : *bound;
    Part& part = parts[{bytes_max, std::min(plain, kPlainExact + 1)}];
    part.tokens.push_back(id);
    part.plain_min = part.plain_max == 0 ? plain : std::min(part.plain_min, plain);
    part.plain_max = std::max(part.plain_max, plain);
  }
  for (const auto& [kind, part] : parts) {
    TokenTree& tree = trees_.emplace_back();
    tree.plain_min = part.plain_min;
    tree.plain_max = part.plain_max;
    tree.bytes_max = kind.first;
    tree.tokens = no_tokens(width);
    for (const TokenId id : part.tokens) add_token(tree.tokens, id);
    make_nodes(part.tokens, texts_, tree.nodes);
  }
}

}  // namespace polaris::grammar
