#include "text/added_tokens.h"

#include <algorithm>
#include <string>
#include <utility>

namespace polaris {
namespace {

bool is_word_character(char32_t code) {
  static const CategoryMask kWord = category_mask("L") | category_mask("M") | category_mask("Nd") |
                                    category_mask("Nl") | category_mask("Pc");
  return (category_of(code) & kWord) != 0;
}

/// The character that ends at `at` (more than 0).
char32_t character_before(std::string_view text, std::size_t at) {
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) {
    --begin;
  }
  const Character c = decode_utf8(text, begin);
  return begin + c.bytes == at ? c.code : kBadByte;
}

bool fits_word(std::string_view text, std::size_t begin, std::size_t end) {
  const bool before = begin > 0 && is_word_character(character_before(text, begin));
  const bool after = end < text.size() && is_word_character(decode_utf8(text, end).code);
  return !before && !after;
}

}  // namespace

AddedTokens::AddedTokens(const Vocabulary& vocabulary, std::vector<AddedToken> added,
                         const Normalizer& normalizer)
    : added_(std::move(added)) {
  std::stable_sort(added_.begin(), added_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  using Entries = std::vector<std::pair<std::string_view, TokenId>>;
  Entries raw[2];
  std::vector<std::string> owned;  // normalized texts
  std::vector<TokenId> normalized_ids;
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    const Token& token = vocabulary.token(id);
    const bool always = token.kind == TokenKind::kUserDefined;
    if (!always && token.kind != TokenKind::kControl && token.kind != TokenKind::kUnknown) continue;
    const auto flags = std::lower_bound(added_.begin(), added_.end(), id,
                                        [](const AddedToken& a, TokenId i) { return a.id < i; });
    if (flags != added_.end() && flags->id == id && flags->normalized) {
      auto text = normalizer.apply(token.text, {false, false});
      owned.push_back(text && !flags->as_written ? text.take() : token.text);
      normalized_ids.push_back(id);
      continue;
    }
    if (always) raw[0].emplace_back(token.text, id);
    raw[1].emplace_back(token.text, id);
  }
  Entries normalized[2];
  for (std::size_t i = 0; i < owned.size(); ++i) {
    const TokenId id = normalized_ids[i];
    const bool always = vocabulary.token(id).kind == TokenKind::kUserDefined;
    if (always) normalized[0].emplace_back(owned[i], id);
    normalized[1].emplace_back(owned[i], id);
  }
  for (int i = 0; i < 2; ++i) {
    raw_[i] = TokenTrie(std::move(raw[i]));
    normalized_[i] = TokenTrie(std::move(normalized[i]));
  }
}

std::vector<TextStretch> AddedTokens::cut_at(std::string_view text, const TokenTrie& trie,
                                             StretchPlace place) const {
  std::vector<TextStretch> out;
  std::size_t plain = 0;  // start of the text not yet given out
  const auto flush = [&](std::size_t end) {
    if (end <= plain) return;
    out.push_back({text.substr(plain, end - plain), -1, place});
    place = {false, false};
  };
  for (std::size_t at = 0; !trie.empty() && at < text.size();) {
    const auto found = trie.longest(text.substr(at));
    if (found.bytes == 0) {
      ++at;
      continue;
    }
    std::size_t end = at + found.bytes;
    const auto row = std::lower_bound(added_.begin(), added_.end(), found.token,
                                      [](const AddedToken& a, TokenId i) { return a.id < i; });
    const AddedToken flags = row != added_.end() && row->id == found.token ? *row : AddedToken{};
    if (flags.single_word && !fits_word(text, at, end)) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    while (flags.left_strip && begin > plain) {
      const char32_t c = character_before(text, begin);
      if (!is_white_space(c)) break;
      begin -= c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
    }
    while (flags.right_strip && end < text.size()) {
      const Character c = decode_utf8(text, end);
      if (!is_white_space(c.code)) break;
      end += c.bytes;
    }
    flush(begin);
    out.push_back({text.substr(at, found.bytes), found.token, place});
    place = {false, true};
    plain = at = end;
  }
  flush(text.size());
  return out;
}

std::vector<TextStretch> AddedTokens::cut(std::string_view text, bool parse_special) const {
  return cut_at(text, raw_[parse_special ? 1 : 0], {true, true});
}

std::vector<TextStretch> AddedTokens::cut_normalized(std::string_view text, bool parse_special,
                                                     StretchPlace place) const {
  return cut_at(text, normalized_[parse_special ? 1 : 0], place);
}

}  // namespace polaris
