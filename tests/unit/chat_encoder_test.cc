// Ids of a growing conversation: what was written by the model keeps its ids.
#include "pipeline/chat/chat_encoder.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "pipeline/chat/chat.h"
#include "text/tokenizer.h"

namespace polaris {
namespace {

/// Letters, pairs of them and a control token <|e|>.
std::unique_ptr<Tokenizer> letters() {
  TokenizerSettings settings;
  const auto add = [&](std::string text, float score, TokenKind kind) {
    settings.tokens.push_back({std::move(text), score, kind});
  };
  add("<unk>", 0, TokenKind::kUnknown);
  add("<|e|>", 0, TokenKind::kControl);
  for (char c = 'a'; c <= 'z'; ++c) add(std::string(1, c), -10, TokenKind::kNormal);
  for (const char* more : {"ab", "cd", "abcd"}) add(more, -1, TokenKind::kNormal);
  settings.unknown = 0;
  auto tokenizer = Tokenizer::create(std::move(settings));
  REQUIRE_MESSAGE(tokenizer, tokenizer.error().message());
  return tokenizer.take();
}

using Ids = std::vector<TokenId>;

Ids ids_of(const Tokenizer& tokenizer, const std::vector<std::string>& tokens) {
  Ids out;
  for (const std::string& token : tokens) out.push_back(*tokenizer.vocabulary().find(token));
  return out;
}

Ids encode(ChatEncoder& encoder, const std::string& text) {
  auto ids = encoder.encode(text);
  REQUIRE_MESSAGE(ids, ids.error().message());
  return ids.take();
}

TEST_CASE("an answer keeps the ids that it was written by") {
  const auto tokenizer = letters();
  ChatEncoder encoder(*tokenizer);
  const Ids first = encode(encoder, "xab<|e|>");
  CHECK(first == ids_of(*tokenizer, {"x", "ab", "<|e|>"}));
  // The model wrote "abcd" letter by letter.
  const Ids written = ids_of(*tokenizer, {"a", "b", "c", "d"});
  encoder.answered(written, "abcd");
  const Ids second = encode(encoder, "xab<|e|>abcd<|e|>cd<|e|>");
  CHECK(second ==
        ids_of(*tokenizer, {"x", "ab", "<|e|>", "a", "b", "c", "d", "<|e|>", "cd", "<|e|>"}));
  // What its text would be encoded to.
  CHECK(encode_chat(*tokenizer, "abcd").take() == ids_of(*tokenizer, {"abcd"}));
  encoder.answered(ids_of(*tokenizer, {"c", "d"}), "cd");
  // Back to before the second answer, and to another second message.
  CHECK(encode(encoder, "xab<|e|>abcd<|e|>ab<|e|>") ==
        ids_of(*tokenizer, {"x", "ab", "<|e|>", "a", "b", "c", "d", "<|e|>", "ab", "<|e|>"}));
  // Another conversation.
  CHECK(encode(encoder, "abcd<|e|>") == ids_of(*tokenizer, {"abcd", "<|e|>"}));
  // And one that would have gone on from the first.
  CHECK(encode(encoder, "xab<|e|>abcd<|e|>") ==
        ids_of(*tokenizer, {"x", "ab", "<|e|>", "abcd", "<|e|>"}));
}

TEST_CASE("where tokens reach across the answer's end the whole text counts") {
  const auto tokenizer = letters();
  ChatEncoder encoder(*tokenizer);
  CHECK(encode(encoder, "x") == ids_of(*tokenizer, {"x"}));
  encoder.answered(ids_of(*tokenizer, {"a"}), "a");
  CHECK(encode(encoder, "xab") == ids_of(*tokenizer, {"x", "ab"}));
  // A template that changes what was answered.
  encoder.answered(ids_of(*tokenizer, {"c", "d"}), "cd");
  CHECK(encode(encoder, "xabdcx") == ids_of(*tokenizer, {"x", "ab", "d", "c", "x"}));
}

}  // namespace
}  // namespace polaris
