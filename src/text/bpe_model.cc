#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

#include "text/symbol_list.h"
#include "text/token_model.h"

namespace polaris {
namespace {

struct Merge {
  int rank = 0;
  int left = 0;
  int right = 0;
  int result = 0;
  std::size_t bytes = 0;  // of both when queued: a stale entry no longer agrees
  int left_token = 0;
  int right_token = 0;
  bool operator<(const Merge& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

/// What merges make: numbers of strings, tokens first, then what only merges name.
class BpeModel final : public TokenModel {
 public:
  BpeModel(const TokenizerSettings& settings, const Vocabulary& vocabulary)
      : vocabulary_(vocabulary),
        byte_fallback_(settings.byte_fallback),
        fuse_unknown_(settings.fuse_unknown),
        byte_level_(settings.byte_level),
        whole_words_(settings.whole_words),
        by_id_(settings.merges.empty()),
        prefix_(settings.continuing_prefix),
        suffix_(settings.word_suffix) {
    pairs_.reserve(settings.merges.size());
    for (std::size_t rank = 0; rank < settings.merges.size(); ++rank) {
      const auto& [left, right] = settings.merges[rank];
      std::string joined = left;
      joined += std::string_view(right).substr(continues(right) ? prefix_.size() : 0);
      const int result = intern(joined);
      // Of two merges of a pair the first one counts.
      pairs_.try_emplace(key(intern(left), intern(right)),
                         std::pair{static_cast<int>(rank), result});
    }
    for (TokenId id = 0; by_id_ && id < vocabulary.size(); ++id) {
      token_bytes_max_ = std::max(token_bytes_max_, vocabulary.token(id).text.size());
    }
  }

  void encode(std::string_view piece, std::vector<TokenId>& out) const override {
    if (whole_words_) {
      if (const auto id = vocabulary_.find_in_model(std::string(piece) + suffix_)) {
        out.push_back(*id);
        return;
      }
    }
    SymbolList symbols(piece);
    for (int i = 0; i < symbols.size(); ++i) {
      const std::string_view text = piece.substr(symbols[i].begin, symbols[i].bytes);
      const bool last = i + 1 == symbols.size();
      if (prefix_.empty() && suffix_.empty()) {
        symbols[i].token = find(text);
        continue;
      }
      symbols[i].token = find((i > 0 ? prefix_ : "") + std::string(text) + (last ? suffix_ : ""));
    }
    merge_all(piece, symbols);
    bool unknown_before = false;
    for (int at = 0; at >= 0; at = symbols[at].next) {
      const auto& symbol = symbols[at];
      unknown_before =
          emit(symbol.token, piece.substr(symbol.begin, symbol.bytes), unknown_before, out);
    }
  }

 private:
  static std::uint64_t key(int left, int right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }

  bool continues(std::string_view text) const {
    return !prefix_.empty() && text.starts_with(prefix_);
  }

  int intern(const std::string& text) {
    if (const auto id = vocabulary_.find_in_model(text)) return *id;
    const auto next = static_cast<int>(vocabulary_.size() + static_cast<TokenId>(extra_.size()));
    return extra_.try_emplace(text, next).first->second;
  }

  int find(std::string_view text) const {
    if (const auto id = vocabulary_.find_in_model(text)) return *id;
    if (extra_.empty()) return -1;
    const auto at = extra_.find(std::string(text));
    return at == extra_.end() ? -1 : at->second;
  }

  void offer(std::string_view text, const SymbolList& symbols, int left, int right,
             std::priority_queue<Merge>& queue) const {
    if (left < 0 || right < 0) return;
    const auto& a = symbols[left];
    const auto& b = symbols[right];
    const std::size_t bytes = a.bytes + b.bytes;
    if (by_id_) {
      if (bytes > token_bytes_max_) return;
      const auto id = vocabulary_.find_in_model(text.substr(a.begin, bytes));
      if (id) queue.push({*id, left, right, *id, bytes, a.token, b.token});
      return;
    }
    if (a.token < 0 || b.token < 0) return;
    const auto at = pairs_.find(key(a.token, b.token));
    if (at == pairs_.end()) return;
    queue.push({at->second.first, left, right, at->second.second, bytes, a.token, b.token});
  }

  void merge_all(std::string_view text, SymbolList& symbols) const {
    std::priority_queue<Merge> queue;
    for (int i = 1; i < symbols.size(); ++i) offer(text, symbols, i - 1, i, queue);
    while (!queue.empty()) {
      const Merge merge = queue.top();
      queue.pop();
      auto& left = symbols[merge.left];
      const auto& right = symbols[merge.right];
      if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != merge.bytes ||
          left.token != merge.left_token || right.token != merge.right_token) {
        continue;
      }
      symbols.merge(merge.left, merge.right);
      left.token = merge.result;
      offer(text, symbols, left.previous, merge.left, queue);
      offer(text, symbols, merge.left, left.next, queue);
    }
  }

  /// Whether it became the unknown token.
  bool emit(int token, std::string_view text, bool unknown_before,
            std::vector<TokenId>& out) const {
    if (token >= 0 && token < vocabulary_.size()) {
      out.push_back(token);
      return false;
    }
    if (byte_fallback_ && append_bytes(vocabulary_, text, out)) return false;
    const bool merged = decode_utf8(text, 0).bytes < text.size();
    if (byte_level_ && merged && append_letters(text, out)) return false;
    if (!vocabulary_.unknown) return false;
    if (!(fuse_unknown_ && unknown_before)) out.push_back(*vocabulary_.unknown);
    return true;
  }

  /// The single letters of what merges have made and is no token.
  bool append_letters(std::string_view text, std::vector<TokenId>& out) const {
    bool any = false;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t bytes = decode_utf8(text, at).bytes;
      if (const auto id = vocabulary_.find_in_model(text.substr(at, bytes))) {
        out.push_back(*id);
        any = true;
      }
      at += bytes;
    }
    return any;
  }

  const Vocabulary& vocabulary_;
  bool byte_fallback_;
  bool fuse_unknown_;
  bool byte_level_;
  bool whole_words_;
  bool by_id_;
  std::string prefix_;
  std::string suffix_;
  std::unordered_map<std::uint64_t, std::pair<int, int>> pairs_;  // rank, what it makes
  std::unordered_map<std::string, int> extra_;
  std::size_t token_bytes_max_ = 0;
};

}  // namespace

Result<std::unique_ptr<TokenModel>> make_bpe_model(const TokenizerSettings& settings,
                                                   const Vocabulary& vocabulary) {
  if (settings.merges.size() > Vocabulary::kTokensMax) {
    return Error::invalid("[tokenizer] merges, got " + std::to_string(settings.merges.size()) +
                          ", wanted at most " + std::to_string(Vocabulary::kTokensMax));
  }
  return std::unique_ptr<TokenModel>(std::make_unique<BpeModel>(settings, vocabulary));
}

}  // namespace polaris
