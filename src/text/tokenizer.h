#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

struct EncodeOptions {
  bool add_special = true;     // BOS and EOS as the vocabulary says
  bool parse_special = false;  // control tokens written in the text become those tokens
  bool to_continue = false;    // no EOS all the same: the text goes on
};

/// Text to token ids and back. Immutable, thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// Whether `ids` begin with two BOS: one was added before a text that brought its own, which
  /// models were not trained for.
  bool has_double_bos(std::span<const TokenId> ids) const;
  /// Bytes of one token as they stand in running text; "" for control tokens.
  virtual std::string piece(TokenId id) const = 0;
  /// Running text of `ids`; the space that encoding put before the text is left out.
  std::string decode(std::span<const TokenId> ids) const;

 protected:
  explicit Tokenizer(Vocabulary vocabulary);
  /// Appends the tokens of a stretch of plain text. `after_special`: the text begins, or follows a
  /// special token.
  virtual void encode_plain(std::string_view text, bool after_special,
                            std::vector<TokenId>& out) const = 0;
  Vocabulary vocabulary_;

 private:
  std::vector<TokenId> user_defined_;  // longest text first
  std::vector<TokenId> special_;       // with control tokens, longest text first
};

/// SentencePiece BPE as Llama 2 uses it (tokenizer.ggml.model "llama"): the pair of neighbouring
/// symbols whose merge has the highest score is merged first, the leftmost of equals; what is not
/// in the vocabulary falls back to byte tokens. Kudo and Richardson 2018, as run by llama.cpp.
std::unique_ptr<Tokenizer> make_spm_tokenizer(Vocabulary vocabulary);

/// Splits decoded bytes at UTF-8 boundaries for streaming: a character's bytes may come in several
/// tokens.
class Utf8Stream {
 public:
  /// Adds bytes; returns the complete characters so far (invalid bytes become U+FFFD).
  std::string push(std::string_view bytes);
  /// What is left at the end, invalid bytes replaced.
  std::string flush();

 private:
  std::string pending_;
};

}  // namespace polaris
