#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
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
  ~Tokenizer();
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
  struct Parts;
  Tokenizer(TokenizerSettings settings, Vocabulary vocabulary);
  Status make_parts();

  TokenizerSettings settings_;  // without what the vocabulary and the parts hold
  Vocabulary vocabulary_;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace polaris
