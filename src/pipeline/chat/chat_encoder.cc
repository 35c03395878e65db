#include "pipeline/chat/chat_encoder.h"

#include "pipeline/chat/chat.h"

namespace polaris {

std::ptrdiff_t ChatEncoder::ids_of_rest(std::span<const TokenId> ids, std::string_view rest) const {
  std::ptrdiff_t count = 0;
  while (!rest.empty()) {
    if (count == static_cast<std::ptrdiff_t>(ids.size())) return -1;
    const TokenId id = ids[ids.size() - 1 - static_cast<std::size_t>(count)];
    const Token& token = tokenizer_.vocabulary().token(id);
    const std::string piece = token.kind == TokenKind::kControl ? token.text : tokenizer_.piece(id);
    // A token without a text belongs to neither side for certain.
    if (piece.empty() || !rest.ends_with(piece)) return -1;
    rest.remove_suffix(piece.size());
    ++count;
  }
  return count;
}

void ChatEncoder::keep_common(std::string_view text) {
  const auto begins = [&](const Answer& answer) {
    return text.starts_with(std::string_view(text_).substr(0, answer.text));
  };
  while (!answers_.empty() && !begins(answers_.back())) answers_.pop_back();
  text_.resize(answers_.empty() ? 0 : answers_.back().text);
  ids_.resize(answers_.empty() ? 0 : answers_.back().ids);
}

Result<std::vector<TokenId>> ChatEncoder::encode(const std::string& text) {
  auto ids = encode_chat(tokenizer_, text);
  if (!ids) return ids;
  keep_common(text);
  const std::ptrdiff_t rest = ids_of_rest(*ids, std::string_view(text).substr(text_.size()));
  if (answers_.empty() || rest < 0) {
    answers_.clear();
    ids_ = ids.take();
  } else {
    ids_.insert(ids_.end(), (*ids).end() - rest, (*ids).end());
  }
  text_ = text;
  return ids_;
}

void ChatEncoder::answered(std::span<const TokenId> ids, std::string_view text) {
  text_ += text;
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  answers_.push_back({text_.size(), ids_.size()});
}

}  // namespace polaris
