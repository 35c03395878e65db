#include "chat_turn.h"

#include <algorithm>
#include <utility>

#include "base/os/clock.h"
#include "text/stop_strings.h"

namespace polaris::cli {
namespace {

/// Tokens of a context that are kept free for an answer.
std::int64_t answer_room(std::int64_t context) { return context / 8; }

}  // namespace

Result<std::string> ChatTurns::render(const std::string& json) const {
  const auto conversation = Conversation::parse(json);
  if (!conversation) return conversation.error();
  ChatOptions options;
  options.now = local_calendar(unix_time_ms());
  return render_chat(template_, *batcher_.model().tokenizer, *conversation, options);
}

Result<std::vector<TokenId>> ChatTurns::encode(const ChatHistory& history) {
  auto text = render(history.to_json(first_));
  if (!text) return text.error();
  return encoder_.encode(*text);
}

Result<std::int64_t> ChatTurns::before_messages(const std::string& system,
                                                std::span<const TokenId> prompt) const {
  // What two conversations have in common whose first messages differ from their first letter on.
  std::string texts[2];
  for (std::size_t i = 0; i < 2; ++i) {
    ChatHistory history;
    history.system = system;
    history.add("user", i == 0 ? "A" : "b");
    auto text = render(history.to_json());
    if (!text) return text.error();
    texts[i] = text.take();
  }
  const std::size_t most = std::min(texts[0].size(), texts[1].size());
  const auto end = texts[0].begin() + static_cast<std::ptrdiff_t>(most);
  texts[0].erase(std::mismatch(texts[0].begin(), end, texts[1].begin()).first, texts[0].end());
  auto ids = encode_chat(*batcher_.model().tokenizer, texts[0]);
  if (!ids) return ids.error();
  const std::size_t count = std::min(ids->size(), prompt.size());
  const auto last = prompt.begin() + static_cast<std::ptrdiff_t>(count);
  const std::int64_t kept =
      std::mismatch(prompt.begin(), last, ids->begin()).first - prompt.begin();
  return kept < batcher_.context_tokens() / 2 ? kept : 0;
}

Result<std::vector<TokenId>> ChatTurns::encode_fitting(const ChatHistory& history) {
  const std::int64_t context = batcher_.context_tokens();
  const std::int64_t most = context - answer_room(context);
  first_ = std::min(first_, history.messages.size() - 1);
  auto ids = encode(history);
  if (!ids || static_cast<std::int64_t>((*ids).size()) <= most) return ids;
  // Enough goes at once that the next turns need not be computed whole again.
  while (static_cast<std::int64_t>((*ids).size()) > context / 2 &&
         first_ + 2 < history.messages.size()) {
    first_ += 2;
    ids = encode(history);
    if (!ids) return ids;
  }
  if (static_cast<std::int64_t>((*ids).size()) <= most) return ids;
  return Error::exhausted("[chat] message, got " + std::to_string((*ids).size()) +
                          " tokens with what stands before it, wanted at most " +
                          std::to_string(most) + " of a context of " + std::to_string(context));
}

Result<ChatAnswer> ChatTurns::answer(const ChatHistory& history, const ChatSettings& settings,
                                     const RunOptions& options, Show show) {
  ChatAnswer out;
  auto prompt = encode_fitting(history);
  if (!prompt) return prompt.error();
  out.dropped = first_;
  GenerateRequest request;
  request.prompt = prompt.take();
  request.max_new_tokens = settings.new_tokens;
  request.sampler = settings.sampler;
  request.end_tokens = batcher_.model().end_tokens;
  request.adapters = batcher_.model().all_adapters();
  if (settings.shift) {
    auto keep = settings.keep >= 0 ? Result<std::int64_t>(settings.keep)
                                   : before_messages(history.system, request.prompt);
    if (!keep) return keep.error();
    request.shift_keep = *keep;
  }
  out.prompt_tokens = static_cast<std::int64_t>(request.prompt.size());
  const BatcherCounters before = batcher_.counters();
  auto id = batcher_.add(std::move(request));
  if (!id) return id.error();
  std::vector<TokenId> ids;
  const Status status = run(*id, settings, options, show, out, ids);
  batcher_.cancel(*id);
  const BatcherCounters& now = batcher_.counters();
  out.computed_tokens = now.computed_tokens - before.computed_tokens;
  out.counters.drafted = now.drafted - before.drafted;
  out.counters.accepted = now.accepted - before.accepted;
  out.counters.shifts = now.shifts - before.shifts;
  out.counters.dropped_tokens = now.dropped_tokens - before.dropped_tokens;
  out.counters.recomputed_tokens = now.recomputed_tokens - before.recomputed_tokens;
  if (!status && status.error().code() != ErrorCode::kCancelled) return status.error();
  if (!status) out.finish = FinishReason::kCancelled;
  // After a stop string the text is shorter than its tokens.
  if (out.finish != FinishReason::kStop) encoder_.answered(ids, out.text);
  return out;
}

Status ChatTurns::run(RequestId id, const ChatSettings& settings, const RunOptions& options,
                      Show show, ChatAnswer& out, std::vector<TokenId>& ids) {
  const std::int64_t start = monotonic_ns();
  TextStream stream(settings.stops);
  const auto give = [&](const std::string& text) {
    out.text += text;
    show(text);
  };
  Status status;
  while (status && out.finish == FinishReason::kNone) {
    auto events = batcher_.step(options);
    if (!events) status = events.error();
    for (std::size_t e = 0; events && e < events->size() && !stream.stopped(); ++e) {
      const TokenEvent& event = (*events)[e];
      if (event.request != id) continue;
      if (out.new_tokens == 0) out.prompt_ms = elapsed_ms(start);
      out.finish = event.finish;
      out.error = event.error;
      if (event.token < 0) break;
      ++out.new_tokens;
      if (event.finish == FinishReason::kEnd) break;
      ids.push_back(event.token);
      give(stream.push(batcher_.model().tokenizer->piece(event.token)));
      if (stream.stopped()) out.finish = FinishReason::kStop;
    }
  }
  give(stream.flush());
  out.new_ms = elapsed_ms(start) - out.prompt_ms;
  return status;
}

}  // namespace polaris::cli
