#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "text/token_model.h"
#include "text/token_trie.h"

namespace polaris {
namespace {

// What SentencePiece takes off the lowest score for a character that no token writes.
constexpr float kUnknownPenalty = 10;

class UnigramModel final : public TokenModel {
 public:
  UnigramModel(const TokenizerSettings& settings, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), byte_fallback_(settings.byte_fallback) {
    std::vector<std::pair<std::string_view, TokenId>> entries;
    float lowest = std::numeric_limits<float>::max();
    for (TokenId id = 0; id < vocabulary.size(); ++id) {
      const Token& token = vocabulary.token(id);
      if (token.kind != TokenKind::kNormal && token.kind != TokenKind::kUserDefined) continue;
      if (token.outside_model) continue;
      entries.emplace_back(token.text, id);
      if (token.kind == TokenKind::kNormal) lowest = std::min(lowest, token.score);
    }
    unknown_score_ = (entries.empty() ? 0 : lowest) - kUnknownPenalty;
    trie_ = TokenTrie(std::move(entries));
  }

  void encode(std::string_view piece, std::vector<TokenId>& out) const override {
    std::vector<Step> best(piece.size() + 1);
    best[0].score = 0;
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t character = decode_utf8(piece, at).bytes;
      walk(piece, at, character, best);
      at += character;
    }
    std::vector<std::size_t> ends;
    for (std::size_t at = piece.size(); at > 0; at = best[at].begin) ends.push_back(at);
    bool unknown_before = false;
    for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
      const Step& step = best[*end];
      if (step.token >= 0) {
        out.push_back(step.token);
        unknown_before = false;
        continue;
      }
      if (byte_fallback_ &&
          append_bytes(vocabulary_, piece.substr(step.begin, *end - step.begin), out)) {
        unknown_before = false;
        continue;
      }
      if (!unknown_before) out.push_back(*vocabulary_.unknown);
      unknown_before = true;
    }
  }

 private:
  struct Step {
    float score = -std::numeric_limits<float>::infinity();
    TokenId token = -1;  // -1: unknown
    std::size_t begin = 0;
  };

  // Every way to go on from the best text up to `at`; the first of equal ways is kept.
  void walk(std::string_view piece, std::size_t at, std::size_t character,
            std::vector<Step>& best) const {
    const float sum = best[at].score;
    bool whole_character = false;
    std::uint32_t node = trie_.empty() ? TokenTrie::kNone : TokenTrie::kRoot;
    for (std::size_t end = at; node != TokenTrie::kNone && end < piece.size();) {
      node = trie_.next(node, piece[end++]);
      if (node == TokenTrie::kNone) break;
      const TokenId token = trie_.token(node);
      if (token < 0) continue;
      const bool ours = vocabulary_.token(token).kind == TokenKind::kUserDefined;
      const float score = sum + (ours ? 0 : vocabulary_.token(token).score);
      if (score > best[end].score) best[end] = {score, token, at};
      whole_character = whole_character || end - at == character;
    }
    if (whole_character) return;
    const float score = sum + unknown_score_;
    Step& step = best[at + character];
    if (score > step.score) step = {score, -1, at};
  }

  const Vocabulary& vocabulary_;
  bool byte_fallback_;
  float unknown_score_ = 0;
  TokenTrie trie_;
};

}  // namespace

Result<std::unique_ptr<TokenModel>> make_unigram_model(const TokenizerSettings& settings,
                                                       const Vocabulary& vocabulary) {
  if (!vocabulary.unknown) {
    return Error::invalid("[tokenizer] unknown token, got none, wanted one for unigram");
  }
  return std::unique_ptr<TokenModel>(std::make_unique<UnigramModel>(settings, vocabulary));
}

}  // namespace polaris
