#pragma once
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/token_trie.h"
#include "text/tokenizer_settings.h"
#include "text/vocabulary.h"

namespace polaris {

/// A token that was found, or text between tokens.
struct TextStretch {
  std::string_view text;
  TokenId token = -1;  // -1: text
  StretchPlace place;
};

/// The tokens that a text is searched for before it goes to the model: user-defined ones always,
/// control tokens where they are asked for. The leftmost is taken first, of those the longest.
class AddedTokens {
 public:
  AddedTokens(const Vocabulary& vocabulary, std::vector<AddedToken> added,
              const Normalizer& normalizer);
  /// Splits a text as it was given.
  std::vector<TextStretch> cut(std::string_view text, bool parse_special) const;
  /// Splits a stretch that has been normalized.
  std::vector<TextStretch> cut_normalized(std::string_view text, bool parse_special,
                                          StretchPlace place) const;

 private:
  std::vector<TextStretch> cut_at(std::string_view text, const TokenTrie& trie,
                                  StretchPlace place) const;
  std::vector<AddedToken> added_;  // by id, those with flags
  TokenTrie raw_[2];               // [control tokens too]
  TokenTrie normalized_[2];
};

}  // namespace polaris
