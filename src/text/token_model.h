#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer_settings.h"
#include "text/vocabulary.h"

namespace polaris {

/// Turns one piece of text into tokens. Immutable, thread-safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the tokens of a piece that is not empty.
  virtual void encode(std::string_view piece, std::vector<TokenId>& out) const = 0;
};

/// SentencePiece's BPE: the pair of neighbouring symbols whose token has the highest score is
/// merged first, the leftmost of equals; what is no token becomes bytes. Kudo and Richardson 2018.
std::unique_ptr<TokenModel> make_spm_model(const TokenizerSettings& settings,
                                           const Vocabulary& vocabulary);
/// Byte pair encoding by a list of merges, or by the ids of tokens. Sennrich et al. 2016. Errors:
/// invalid where there are too many merges.
Result<std::unique_ptr<TokenModel>> make_bpe_model(const TokenizerSettings& settings,
                                                   const Vocabulary& vocabulary);
/// BERT's words: the longest token at each place, or the whole word is unknown.
Result<std::unique_ptr<TokenModel>> make_wordpiece_model(const TokenizerSettings& settings,
                                                         const Vocabulary& vocabulary);
/// The likeliest way to write a piece as tokens (Viterbi). Kudo 2018.
Result<std::unique_ptr<TokenModel>> make_unigram_model(const TokenizerSettings& settings,
                                                       const Vocabulary& vocabulary);

/// Appends <0xNN> of every byte where all of them are tokens; says whether they are.
bool append_bytes(const Vocabulary& vocabulary, std::string_view bytes, std::vector<TokenId>& out);

}  // namespace polaris
