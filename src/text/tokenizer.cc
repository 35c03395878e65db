#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "text/added_tokens.h"
#include "text/byte_letters.h"
#include "text/end_tokens.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_model.h"

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

// Every step goes over the whole text.
constexpr std::size_t kStepsMax = 64;

// The text of each goes through all steps of the normalizer.
constexpr std::ptrdiff_t kNormalizedMax = 1 << 16;

Status check_steps(const TokenizerSettings& settings) {
  const auto normalized = std::count_if(settings.added.begin(), settings.added.end(),
                                        [](const AddedToken& token) { return token.normalized; });
  if (normalized > kNormalizedMax) {
    return Error::unsupported("[tokenizer] added tokens, got " + std::to_string(normalized) +
                              " that are normalized, wanted at most " +
                              std::to_string(kNormalizedMax));
  }
  for (const std::size_t count : {settings.normalizer.size(), settings.pre_tokenizer.size()}) {
    if (count > kStepsMax) {
      return Error::unsupported("[tokenizer] steps, got " + std::to_string(count) +
                                ", wanted at most " + std::to_string(kStepsMax));
    }
  }
  return Status::success();
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

/// What an encoding goes through.
struct Tokenizer::Parts {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  AddedTokens added;

  Status encode_raw(std::string_view text, StretchPlace place, bool parse_special,
                    std::vector<TokenId>& out) const;
  Status encode_plain(std::string_view text, StretchPlace place, std::vector<TokenId>& out) const;
};

Tokenizer::Tokenizer(TokenizerSettings settings, Vocabulary vocabulary)
    : settings_(std::move(settings)), vocabulary_(std::move(vocabulary)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(TokenizerSettings settings) {
  if (auto status = check_steps(settings); !status) return status.error();
  auto vocabulary = Vocabulary::create(std::move(settings.tokens));
  if (!vocabulary) return vocabulary.error();
  settings.tokens.clear();
  vocabulary->bos = settings.bos;
  vocabulary->eos = settings.eos;
  vocabulary->unknown = settings.unknown;
  if (auto status = check_ids(settings, *vocabulary); !status) return status.error();
  std::unique_ptr<Tokenizer> out(new Tokenizer(std::move(settings), vocabulary.take()));
  if (auto status = out->make_parts(); !status) return status.error();
  return out;
}

Status Tokenizer::make_parts() {
  auto normalizer = Normalizer::create(settings_.normalizer);
  if (!normalizer) return normalizer.error();
  auto pre_tokenizer = PreTokenizer::create(settings_.pre_tokenizer);
  if (!pre_tokenizer) return pre_tokenizer.error();
  // The model refers to the vocabulary, which stays where it is.
  auto model = make_model(settings_, vocabulary_);
  if (!model) return model.error();
  settings_.merges.clear();
  AddedTokens added(vocabulary_, std::move(settings_.added), *normalizer);
  parts_.reset(new Parts{normalizer.take(), pre_tokenizer.take(), model.take(), std::move(added)});
  return Status::success();
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text,
                                               const EncodeOptions& options) const {
  if (text.size() > kTextBytesMax) {
    return Error::exhausted("[tokenizer] text, got " + std::to_string(text.size()) +
                            " bytes, wanted at most " + std::to_string(kTextBytesMax));
  }
  std::vector<TokenId> out;
  if (options.add_special) out = settings_.before;
  for (const TextStretch& stretch : parts_->added.cut(text, options.parse_special)) {
    if (stretch.token >= 0) {
      out.push_back(stretch.token);
      continue;
    }
    auto status = parts_->encode_raw(stretch.text, stretch.place, options.parse_special, out);
    if (!status) return status.error();
  }
  if (options.add_special && !options.to_continue) {
    out.insert(out.end(), settings_.after.begin(), settings_.after.end());
  }
  return out;
}

Status Tokenizer::Parts::encode_raw(std::string_view text, StretchPlace place, bool parse_special,
                                    std::vector<TokenId>& out) const {
  auto normalized = normalizer.apply(text, place);
  if (!normalized) return normalized.error();
  for (const TextStretch& stretch : added.cut_normalized(*normalized, parse_special, place)) {
    if (stretch.token >= 0) {
      out.push_back(stretch.token);
    } else if (auto status = encode_plain(stretch.text, stretch.place, out); !status) {
      return status;
    }
  }
  return Status::success();
}

Status Tokenizer::Parts::encode_plain(std::string_view text, StretchPlace place,
                                      std::vector<TokenId>& out) const {
  auto pieces = pre_tokenizer.split(text, place);
  if (!pieces) return pieces.error();
  for (const std::string& piece : *pieces) model->encode(piece, out);
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
    case PieceStyle::kWordEnd: {
      const std::string text = replaced(token.text, settings_.word_suffix, " ");
      return settings_.byte_level ? from_byte_letters(text) : text;
    }
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
