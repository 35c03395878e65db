#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

namespace polaris {
namespace {

/// Bytes of the character that `lead` begins, 0 for a byte that begins none.
std::size_t utf8_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const Token& token = vocabulary_.token(id);
    if (token.text.empty()) continue;
    if (token.kind == TokenKind::kUserDefined) user_defined_.push_back(id);
    if (token.kind == TokenKind::kUserDefined || token.kind == TokenKind::kControl ||
        token.kind == TokenKind::kUnknown) {
      special_.push_back(id);
    }
  }
  const auto longer = [this](TokenId a, TokenId b) {
    return vocabulary_.token(a).text.size() > vocabulary_.token(b).text.size();
  };
  std::stable_sort(user_defined_.begin(), user_defined_.end(), longer);
  std::stable_sort(special_.begin(), special_.end(), longer);
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<TokenId> out;
  if (options.add_special && vocabulary_.add_bos && vocabulary_.bos)
    out.push_back(*vocabulary_.bos);
  const std::vector<TokenId>& special = options.parse_special ? special_ : user_defined_;
  bool after_special = true;
  std::size_t plain = 0;  // start of the text not yet encoded
  const auto flush = [&](std::size_t end) {
    if (end == plain) return;
    encode_plain(text.substr(plain, end - plain), after_special, out);
    after_special = false;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto match = std::find_if(special.begin(), special.end(), [&](TokenId id) {
      return text.substr(at).starts_with(vocabulary_.token(id).text);
    });
    if (match == special.end()) {
      ++at;
      continue;
    }
    flush(at);
    out.push_back(*match);
    after_special = true;
    at += vocabulary_.token(*match).text.size();
    plain = at;
  }
  flush(text.size());
  const bool add_eos = options.add_special && !options.to_continue && vocabulary_.add_eos;
  if (add_eos && vocabulary_.eos) out.push_back(*vocabulary_.eos);
  return out;
}

bool Tokenizer::has_double_bos(std::span<const TokenId> ids) const {
  return vocabulary_.bos && ids.size() >= 2 && ids[0] == *vocabulary_.bos &&
         ids[1] == *vocabulary_.bos;
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string out;
  bool strip = vocabulary_.add_space_prefix;
  for (TokenId id : ids) {
    if (!vocabulary_.contains(id)) continue;
    std::string text = piece(id);
    if (text.empty()) continue;
    if (strip && text.front() == ' ') text.erase(0, 1);
    strip = false;
    out += text;
  }
  return out;
}

std::string Utf8Stream::push(std::string_view bytes) {
  pending_ += bytes;
  std::string out;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const std::size_t length = utf8_length(static_cast<unsigned char>(pending_[at]));
    std::size_t have = 1;
    while (have < length && at + have < pending_.size() && is_continuation(pending_[at + have])) {
      ++have;
    }
    const bool cut_short = have < length && at + have == pending_.size();
    if (cut_short) break;
    if (have == length) {
      out += pending_.substr(at, length);
    } else {
      out += kReplacement;
    }
    at += have;
  }
  pending_.erase(0, at);
  return out;
}

std::string Utf8Stream::flush() {
  std::string out = pending_.empty() ? std::string() : std::string(kReplacement);
  pending_.clear();
  return out;
}

}  // namespace polaris
