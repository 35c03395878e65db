#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "pipeline/batcher.h"
#include "pipeline/chat/chat.h"
#include "pipeline/chat/chat_encoder.h"
#include "pipeline/chat/chat_history.h"

namespace polaris::cli {

/// What one answer was and what it took.
struct ChatAnswer {
  std::string text;
  FinishReason finish = FinishReason::kNone;
  std::string error;  // of kNoToken
  std::int64_t prompt_tokens = 0;
  std::int64_t computed_tokens = 0;  // of the prompt
  std::int64_t new_tokens = 0;
  std::size_t dropped = 0;   // messages at the front that the model was not shown
  BatcherCounters counters;  // of this answer: what was drafted, dropped and computed again
  double prompt_ms = 0;
  double new_ms = 0;
};

/// How answers are made.
struct ChatSettings {
  SamplerOptions sampler;
  std::vector<std::string> stops;
  std::int64_t new_tokens = 1;  // at most
  bool shift = false;           // an answer goes on where the context is full
  std::int64_t keep = -1;       // tokens that stay then; negative: those before the first message
};

/// Has a model answer conversations, each of which begins as the one before did: what is in the
/// cache is not computed again.
class ChatTurns {
 public:
  ChatTurns(Batcher& batcher, ChatTemplate chat_template)
      : batcher_(batcher),
        template_(std::move(chat_template)),
        encoder_(*batcher.model().tokenizer) {}
  using Show = void (*)(std::string_view text);
  /// Answers the last message; `show` gets the text as it comes. Where the conversation and room
  /// for an answer are more than the context, the oldest messages are left out, and stay left out:
  /// positions are part of keys, so what is shown moves and is computed again. Errors: exhausted
  /// where the last message alone is too long; those of render_chat and Batcher.
  Result<ChatAnswer> answer(const ChatHistory& history, const ChatSettings& settings,
                            const RunOptions& options, Show show);
  /// The conversation is another one.
  void restart() { first_ = 0; }

 private:
  Result<std::string> render(const std::string& conversation) const;
  Result<std::vector<TokenId>> encode(const ChatHistory& history);
  /// Tokens of the prompt that stand before its first message, where they are less than half of a
  /// context; else none.
  Result<std::int64_t> before_messages(const std::string& system,
                                       std::span<const TokenId> prompt) const;
  Result<std::vector<TokenId>> encode_fitting(const ChatHistory& history);
  Status run(RequestId id, const ChatSettings& settings, const RunOptions& options, Show show,
             ChatAnswer& out, std::vector<TokenId>& ids);

  Batcher& batcher_;
  ChatTemplate template_;
  ChatEncoder encoder_;
  std::size_t first_ = 0;  // message that is shown first
};

}  // namespace polaris::cli
