#include <queue>

#include "text/symbol_list.h"
#include "text/token_model.h"

namespace polaris {
namespace {

struct Merge {
  float score = 0;
  int left = 0;
  int right = 0;
  std::size_t bytes = 0;  // of both when queued: a stale entry no longer agrees
  bool operator<(const Merge& other) const {
    return score != other.score ? score < other.score : left > other.left;
  }
};

class SpmModel final : public TokenModel {
 public:
  explicit SpmModel(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  void encode(std::string_view piece, std::vector<TokenId>& out) const override {
    SymbolList symbols(piece);
    merge_all(piece, symbols);
    bool unknown_before = false;
    for (int at = 0; at >= 0; at = symbols[at].next) {
      unknown_before =
          emit(piece.substr(symbols[at].begin, symbols[at].bytes), unknown_before, out);
    }
  }

 private:
  void merge_all(std::string_view text, SymbolList& symbols) const {
    std::priority_queue<Merge> queue;
    const auto offer = [&](int left, int right) {
      if (left < 0 || right < 0) return;
      const std::size_t bytes = symbols[left].bytes + symbols[right].bytes;
      const auto id = vocabulary_.find_in_model(text.substr(symbols[left].begin, bytes));
      if (id) queue.push({vocabulary_.token(*id).score, left, right, bytes});
    };
    for (int i = 1; i < symbols.size(); ++i) offer(i - 1, i);
    while (!queue.empty()) {
      const Merge merge = queue.top();
      queue.pop();
      const auto& left = symbols[merge.left];
      const auto& right = symbols[merge.right];
      if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != merge.bytes) continue;
      symbols.merge(merge.left, merge.right);
      offer(left.previous, merge.left);
      offer(merge.left, left.next);
    }
  }

  /// Whether it became the unknown token, of which neighbours are one.
  bool emit(std::string_view symbol, bool unknown_before, std::vector<TokenId>& out) const {
    if (const auto id = vocabulary_.find_in_model(symbol)) {
      out.push_back(*id);
      return false;
    }
    if (append_bytes(vocabulary_, symbol, out)) return false;
    if (!vocabulary_.unknown) return false;
    if (!unknown_before) out.push_back(*vocabulary_.unknown);
    return true;
  }

  const Vocabulary& vocabulary_;
};

}  // namespace

std::unique_ptr<TokenModel> make_spm_model(const TokenizerSettings&, const Vocabulary& vocabulary) {
  return std::make_unique<SpmModel>(vocabulary);
}

bool append_bytes(const Vocabulary& vocabulary, std::string_view bytes, std::vector<TokenId>& out) {
  const std::size_t before = out.size();
  for (char c : bytes) {
    const auto id = vocabulary.byte_token(static_cast<std::uint8_t>(c));
    if (!id) {
      out.resize(before);
      return false;
    }
    out.push_back(*id);
  }
  return true;
}

}  // namespace polaris
