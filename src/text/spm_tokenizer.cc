#include <algorithm>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer.h"

namespace polaris {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, SentencePiece's visible space

std::size_t character_bytes(char lead) {
  static constexpr unsigned char kLengths[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kLengths[static_cast<unsigned char>(lead) >> 4];
}

struct Symbol {
  std::size_t begin = 0;
  std::size_t bytes = 0;  // 0: merged into its left neighbour
  int previous = -1;
  int next = -1;
};

struct Merge {
  float score = 0;
  int left = 0;
  int right = 0;
  std::size_t bytes = 0;  // of both when queued: a stale entry no longer agrees
  bool operator<(const Merge& other) const {
    return score != other.score ? score < other.score : left > other.left;
  }
};

class SpmTokenizer final : public Tokenizer {
 public:
  explicit SpmTokenizer(Vocabulary vocabulary) : Tokenizer(std::move(vocabulary)) {}

  std::string piece(TokenId id) const override {
    if (!vocabulary_.contains(id)) return {};
    const Token& token = vocabulary_.token(id);
    switch (token.kind) {
      case TokenKind::kByte: {
        const auto byte = Vocabulary::byte_of(token);
        return byte ? std::string(1, static_cast<char>(*byte)) : std::string();
      }
      case TokenKind::kControl:
      case TokenKind::kUnused: return {};
      case TokenKind::kUnknown: return "\xE2\x96\x85";  // U+2585, as llama.cpp shows it
      case TokenKind::kUserDefined: return token.text;
      case TokenKind::kNormal: break;
    }
    return unescape(token.text);
  }

 private:
  static std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      if (text.substr(at).starts_with(kSpace)) {
        out += ' ';
        at += kSpace.size();
      } else {
        out += text[at++];
      }
    }
    return out;
  }

  void encode_plain(std::string_view text, bool after_special,
                    std::vector<TokenId>& out) const override {
    std::string escaped;
    escaped.reserve(text.size() + 8);
    if (vocabulary_.add_space_prefix && after_special) escaped += kSpace;
    for (char c : text) {
      if (c == ' ') {
        escaped += kSpace;
      } else {
        escaped += c;
      }
    }
    std::vector<Symbol> symbols = split(escaped);
    merge_all(escaped, symbols);
    for (int at = symbols.empty() ? -1 : 0; at >= 0;
         at = symbols[static_cast<std::size_t>(at)].next) {
      const Symbol& symbol = symbols[static_cast<std::size_t>(at)];
      emit(std::string_view(escaped).substr(symbol.begin, symbol.bytes), out);
    }
  }

  static std::vector<Symbol> split(std::string_view text) {
    std::vector<Symbol> symbols;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t bytes = std::min(character_bytes(text[at]), text.size() - at);
      const int index = static_cast<int>(symbols.size());
      symbols.push_back({at, bytes, index - 1, index + 1});
      at += bytes;
    }
    if (!symbols.empty()) symbols.back().next = -1;
    return symbols;
  }

  void merge_all(std::string_view text, std::vector<Symbol>& symbols) const {
    std::priority_queue<Merge> queue;
    const auto offer = [&](int left, int right) {
      if (left < 0 || right < 0) return;
      const Symbol& a = symbols[static_cast<std::size_t>(left)];
      const Symbol& b = symbols[static_cast<std::size_t>(right)];
      const auto id = vocabulary_.find(text.substr(a.begin, a.bytes + b.bytes));
      if (id) queue.push({vocabulary_.token(*id).score, left, right, a.bytes + b.bytes});
    };
    for (int i = 1; i < static_cast<int>(symbols.size()); ++i) offer(i - 1, i);
    while (!queue.empty()) {
      const Merge merge = queue.top();
      queue.pop();
      Symbol& left = symbols[static_cast<std::size_t>(merge.left)];
      Symbol& right = symbols[static_cast<std::size_t>(merge.right)];
      if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != merge.bytes) continue;
      left.bytes = merge.bytes;
      right.bytes = 0;
      left.next = right.next;
      if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = merge.left;
      offer(left.previous, merge.left);
      offer(merge.left, left.next);
    }
  }

  void emit(std::string_view symbol, std::vector<TokenId>& out) const {
    if (const auto id = vocabulary_.find(symbol)) {
      out.push_back(*id);
      return;
    }
    for (char c : symbol) {
      const auto id = vocabulary_.byte_token(static_cast<std::uint8_t>(c));
      if (id) {
        out.push_back(*id);
      } else if (vocabulary_.unknown) {
        out.push_back(*vocabulary_.unknown);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_spm_tokenizer(Vocabulary vocabulary) {
  return std::make_unique<SpmTokenizer>(std::move(vocabulary));
}

}  // namespace polaris
