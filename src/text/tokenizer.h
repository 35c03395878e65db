#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_model.h"
#include "text/token_trie.h"
#include "text/tokenizer_settings.h"
#include "text/vocabulary.h"

namespace polaris {

struct EncodeOptions {
  bool add_special = true;     // BOS, EOS and the like, as the file says
  bool parse_special = false;  // control tokens written in the text become those tokens
  bool to_continue = false;    // nothing after the text all the same: it goes on
};

/// Text to token ids and back: tokens that the text is searched for, normalizer, pre-tokenizer,
/// model. Immutable, thread-safe.
class Tokenizer {
 public:
  /// Errors: invalid or unsupported, where the settings contradict themselves or cannot be
  /// followed.
  static Result<std::unique_ptr<Tokenizer>> create(TokenizerSettings settings);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const TokenizerSettings& settings() const { return settings_; }

  /// Errors: exhausted where the text is longer than kTextBytesMax, or one of the file's patterns
  /// takes too long over it.
  Result<std::vector<TokenId>> encode(std::string_view text,
                                      const EncodeOptions& options = {}) const;
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 28;

  /// Whether `ids` begin with two BOS: one was added before a text that brought its own, which
  /// models were not trained for.
  bool has_double_bos(std::span<const TokenId> ids) const;
  /// Bytes of one token as they stand in running text; "" for control tokens.
  std::string piece(TokenId id) const;
  /// Running text of `ids`; the space that encoding put before the text is left out.
  std::string decode(std::span<const TokenId> ids) const;
  /// Any of these ends a text: what the file names, and what is known by its text.
  std::vector<TokenId> end_tokens() const;

 private:
  Tokenizer(TokenizerSettings settings, Vocabulary vocabulary)
      : settings_(std::move(settings)), vocabulary_(std::move(vocabulary)) {}
  void index_added();
  struct Stretch;
  /// Splits at the tokens of `trie`; what is left is plain.
  std::vector<Stretch> cut(std::string_view text, const TokenTrie& trie, StretchPlace place) const;
  bool fits_word(std::string_view text, std::size_t begin, std::size_t end) const;
  Status encode_raw(std::string_view text, StretchPlace place, bool parse_special,
                    std::vector<TokenId>& out) const;
  Status encode_plain(std::string_view text, StretchPlace place, std::vector<TokenId>& out) const;

  TokenizerSettings settings_;
  Vocabulary vocabulary_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::unique_ptr<TokenModel> model_;
  std::vector<AddedToken> added_;  // by id, those with flags
  // [control tokens too]: searched for in the text as it is, and once it is normalized.
  TokenTrie raw_[2];
  TokenTrie normalized_[2];
};

}  // namespace polaris
