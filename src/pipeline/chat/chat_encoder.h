#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace polaris {

/// Ids of a conversation that grows. What the model wrote keeps the ids that it wrote, which are
/// not always those that its text would be encoded to: so what is in the cache stays of use.
class ChatEncoder {
 public:
  explicit ChatEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Ids of a rendered conversation (encode_chat); where it begins as one before did up to one of
  /// its answers, the ids of that, and new ones for the rest alone.
  Result<std::vector<TokenId>> encode(const std::string& text);
  /// The model went on from what was encoded last by these ids, which read so.
  void answered(std::span<const TokenId> ids, std::string_view text);

 private:
  /// How many of `ids`, from the end, make up `rest`; -1 where tokens have other borders.
  std::ptrdiff_t ids_of_rest(std::span<const TokenId> ids, std::string_view rest) const;

  struct Answer {  // where one ends
    std::size_t text;
    std::size_t ids;
  };
  /// Forgets what `text` does not begin with.
  void keep_common(std::string_view text);

  const Tokenizer& tokenizer_;
  std::string text_;  // what is known, and its ids
  std::vector<TokenId> ids_;
  std::vector<Answer> answers_;
};

}  // namespace polaris
