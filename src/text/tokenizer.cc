#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "text/byte_letters.h"
#include "text/end_tokens.h"

namespace polaris {
namespace {

constexpr std::string_view kMetaspace = "\xE2\x96\x81";    // U+2581
constexpr std::string_view kUnknownSign = "\xE2\x96\x85";  // U+2585, as llama.cpp shows it

Result<std::unique_ptr<TokenModel>> make_model(const TokenizerSettings& settings,
                                               const Vocabulary& vocabulary) {
  switch (settings.model) {
    case TokenModelKind::kSpm: return make_spm_model(settings, vocabulary);
    case TokenModelKind::kBpe: return make_bpe_model(settings, vocabulary);
    case TokenModelKind::kWordPiece: return make_wordpiece_model(settings, vocabulary);
    case TokenModelKind::kUnigram: return make_unigram_model(settings, vocabulary);
  }
  return Error::internal("[tokenizer] model of no kind");
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!from.empty() && text.substr(at).starts_with(from)) {
      out += to;
      at += from.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

// As Hugging Face's clean_up_tokenization_spaces.
std::string clean_up(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},   {" !", "!"},     {" ,", ","},     {" n't", "n't"},
      {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kRules) text = replaced(text, from, to);
  return text;
}

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

Status check_ids(const TokenizerSettings& settings, const Vocabulary& vocabulary) {
  std::vector<TokenId> ids = settings.before;
  ids.insert(ids.end(), settings.after.begin(), settings.after.end());
  ids.insert(ids.end(), settings.ends.begin(), settings.ends.end());
  for (const AddedToken& added : settings.added) ids.push_back(added.id);
  for (const auto& id : {settings.bos, settings.eos, settings.unknown}) {
    if (id) ids.push_back(*id);
  }
  for (TokenId id : ids) {
    if (vocabulary.contains(id)) continue;
    return Error::invalid("[tokenizer] id of a special token, got " + std::to_string(id) +
                          ", wanted 0 to " + std::to_string(vocabulary.size() - 1));
  }
  return Status::success();
}

}  // namespace

/// A token that was found, or text between tokens.
struct Tokenizer::Stretch {
  std::string_view text;
  TokenId token = -1;  // -1: text
  StretchPlace place;
};

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(TokenizerSettings settings) {
  auto vocabulary = Vocabulary::create(std::move(settings.tokens));
  if (!vocabulary) return vocabulary.error();
  settings.tokens.clear();
  vocabulary->bos = settings.bos;
  vocabulary->eos = settings.eos;
  vocabulary->unknown = settings.unknown;
  if (auto status = check_ids(settings, *vocabulary); !status) return status.error();
  std::unique_ptr<Tokenizer> out(new Tokenizer(std::move(settings), vocabulary.take()));
  auto normalizer = Normalizer::create(out->settings_.normalizer);
  if (!normalizer) return normalizer.error();
  out->normalizer_ = normalizer.take();
  auto pre_tokenizer = PreTokenizer::create(out->settings_.pre_tokenizer);
  if (!pre_tokenizer) return pre_tokenizer.error();
  out->pre_tokenizer_ = pre_tokenizer.take();
  auto model = make_model(out->settings_, out->vocabulary_);
  if (!model) return model.error();
  out->model_ = model.take();
  out->settings_.merges.clear();  // the model has them
  out->index_added();
  return out;
}

void Tokenizer::index_added() {
  added_ = std::move(settings_.added);
  std::stable_sort(added_.begin(), added_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  using Entries = std::vector<std::pair<std::string_view, TokenId>>;
  Entries raw[2];
  std::vector<std::string> owned;  // normalized texts
  std::vector<std::pair<std::size_t, bool>> owners;
  std::vector<TokenId> normalized_ids;
  for (TokenId id = 0; id < vocabulary_.size(); ++id) {
    const Token& token = vocabulary_.token(id);
    const bool always = token.kind == TokenKind::kUserDefined;
    if (!always && token.kind != TokenKind::kControl && token.kind != TokenKind::kUnknown) continue;
    const auto flags = std::lower_bound(added_.begin(), added_.end(), id,
                                        [](const AddedToken& a, TokenId i) { return a.id < i; });
    if (flags != added_.end() && flags->id == id && flags->normalized) {
      auto text = normalizer_.apply(token.text, {false, false});
      owned.push_back(text ? text.take() : token.text);
      normalized_ids.push_back(id);
      continue;
    }
    if (always) raw[0].emplace_back(token.text, id);
    raw[1].emplace_back(token.text, id);
  }
  Entries normalized[2];
  for (std::size_t i = 0; i < owned.size(); ++i) {
    const TokenId id = normalized_ids[i];
    const bool always = vocabulary_.token(id).kind == TokenKind::kUserDefined;
    if (always) normalized[0].emplace_back(owned[i], id);
    normalized[1].emplace_back(owned[i], id);
  }
  for (int i = 0; i < 2; ++i) {
    raw_[i] = TokenTrie(std::move(raw[i]));
    normalized_[i] = TokenTrie(std::move(normalized[i]));
  }
}

bool Tokenizer::fits_word(std::string_view text, std::size_t begin, std::size_t end) const {
  const bool before = begin > 0 && is_word_character(character_before(text, begin));
  const bool after = end < text.size() && is_word_character(decode_utf8(text, end).code);
  return !before && !after;
}

std::vector<Tokenizer::Stretch> Tokenizer::cut(std::string_view text, const TokenTrie& trie,
                                               StretchPlace place) const {
  std::vector<Stretch> out;
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

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text,
                                               const EncodeOptions& options) const {
  if (text.size() > kTextBytesMax) {
    return Error::exhausted("[tokenizer] text, got " + std::to_string(text.size()) +
                            " bytes, wanted at most " + std::to_string(kTextBytesMax));
  }
  std::vector<TokenId> out;
  if (options.add_special) out = settings_.before;
  for (const Stretch& stretch : cut(text, raw_[options.parse_special ? 1 : 0], {true, true})) {
    if (stretch.token >= 0) {
      out.push_back(stretch.token);
      continue;
    }
    auto status = encode_raw(stretch.text, stretch.place, options.parse_special, out);
    if (!status) return status.error();
  }
  if (options.add_special && !options.to_continue) {
    out.insert(out.end(), settings_.after.begin(), settings_.after.end());
  }
  return out;
}

Status Tokenizer::encode_raw(std::string_view text, StretchPlace place, bool parse_special,
                             std::vector<TokenId>& out) const {
  auto normalized = normalizer_.apply(text, place);
  if (!normalized) return normalized.error();
  for (const Stretch& stretch : cut(*normalized, normalized_[parse_special ? 1 : 0], place)) {
    if (stretch.token >= 0) {
      out.push_back(stretch.token);
    } else if (auto status = encode_plain(stretch.text, stretch.place, out); !status) {
      return status;
    }
  }
  return Status::success();
}

Status Tokenizer::encode_plain(std::string_view text, StretchPlace place,
                               std::vector<TokenId>& out) const {
  auto pieces = pre_tokenizer_.split(text, place);
  if (!pieces) return pieces.error();
  for (const std::string& piece : *pieces) {
    if (settings_.byte_level) {
      model_->encode(to_byte_letters(piece), out);
    } else {
      model_->encode(piece, out);
    }
  }
  return Status::success();
}

bool Tokenizer::has_double_bos(std::span<const TokenId> ids) const {
  return vocabulary_.bos && ids.size() >= 2 && ids[0] == *vocabulary_.bos &&
         ids[1] == *vocabulary_.bos;
}

std::string Tokenizer::piece(TokenId id) const {
  if (!vocabulary_.contains(id)) return {};
  const Token& token = vocabulary_.token(id);
  switch (token.kind) {
    case TokenKind::kControl:
    case TokenKind::kUnused: return {};
    case TokenKind::kUnknown: return std::string(kUnknownSign);
    case TokenKind::kUserDefined:
      // In SentencePiece's files they have its visible space, too.
      if (settings_.style == PieceStyle::kMetaspace) return replaced(token.text, kMetaspace, " ");
      return token.text;
    case TokenKind::kByte: {
      const auto byte = Vocabulary::byte_of(token);
      return byte ? std::string(1, static_cast<char>(*byte)) : std::string();
    }
    case TokenKind::kNormal: break;
  }
  switch (settings_.style) {
    case PieceStyle::kPlain: return token.text;
    case PieceStyle::kMetaspace: return replaced(token.text, kMetaspace, " ");
    case PieceStyle::kByteLevel: return from_byte_letters(token.text);
    case PieceStyle::kWordEnd: return replaced(token.text, settings_.word_suffix, " ");
    case PieceStyle::kWordPiece: break;
  }
  const std::string_view text = token.text;
  const std::string& word = settings_.word_prefix;
  const std::string& more = settings_.continuing_prefix;
  if (!more.empty() && text.starts_with(more)) return std::string(text.substr(more.size()));
  if (!word.empty() && !text.starts_with(word)) return token.text;
  return " " + std::string(text.substr(word.size()));
}

std::string Tokenizer::decode(std::span<const TokenId> ids) const {
  std::string out;
  bool strip = settings_.strip_first_space;
  for (TokenId id : ids) {
    std::string text = piece(id);
    if (text.empty()) continue;
    if (strip && text.front() == ' ') text.erase(0, 1);
    strip = false;
    out += text;
  }
  return settings_.clean_up_spaces ? clean_up(std::move(out)) : out;
}

std::vector<TokenId> Tokenizer::end_tokens() const {
  std::vector<TokenId> by_id = settings_.ends;
  if (settings_.eos) by_id.push_back(*settings_.eos);
  return polaris::end_tokens(vocabulary_, by_id);
}

}  // namespace polaris
