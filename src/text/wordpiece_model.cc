#include <string>
#include <utility>

#include "text/token_model.h"
#include "text/token_trie.h"

namespace polaris {
namespace {

class WordPieceModel final : public TokenModel {
 public:
  WordPieceModel(const TokenizerSettings& settings, const Vocabulary& vocabulary)
      : unknown_(*vocabulary.unknown), characters_max_(settings.word_characters_max) {
    std::vector<std::pair<std::string_view, TokenId>> starts;
    std::vector<std::pair<std::string_view, TokenId>> rest;
    const std::string_view word = settings.word_prefix;
    const std::string_view more = settings.continuing_prefix;
    for (TokenId id = 0; id < vocabulary.size(); ++id) {
      if (vocabulary.token(id).outside_model) continue;
      const std::string_view text = vocabulary.token(id).text;
      if (text.starts_with(word)) starts.emplace_back(text.substr(word.size()), id);
      if (text.starts_with(more)) rest.emplace_back(text.substr(more.size()), id);
    }
    starts_ = TokenTrie(std::move(starts));
    rest_ = TokenTrie(std::move(rest));
  }

  void encode(std::string_view word, std::vector<TokenId>& out) const override {
    const std::size_t before = out.size();
    if (characters_max_ > 0 && characters(word) > characters_max_) {
      out.push_back(unknown_);
      return;
    }
    for (std::size_t at = 0; at < word.size();) {
      const auto found = (at == 0 ? starts_ : rest_).longest(word.substr(at));
      if (found.bytes == 0) {
        out.resize(before);
        out.push_back(unknown_);
        return;
      }
      out.push_back(found.token);
      at += found.bytes;
    }
  }

 private:
  static std::int64_t characters(std::string_view text) {
    std::int64_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) at += decode_utf8(text, at).bytes;
    return count;
  }

  TokenId unknown_;
  std::int64_t characters_max_;
  TokenTrie starts_;
  TokenTrie rest_;
};

}  // namespace

Result<std::unique_ptr<TokenModel>> make_wordpiece_model(const TokenizerSettings& settings,
                                                         const Vocabulary& vocabulary) {
  if (!vocabulary.unknown) {
    return Error::invalid("[tokenizer] unknown token, got none, wanted one for WordPiece");
  }
  return std::unique_ptr<TokenModel>(std::make_unique<WordPieceModel>(settings, vocabulary));
}

}  // namespace polaris
