#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/json_writer.h"
#include "base/os/files.h"
#include "base/os/interrupt.h"
#include "base/os/line_input.h"
#include "chat_commands.h"
#include "chat_prompt.h"
#include "chat_turn.h"
#include "command.h"
#include "context_shift_flags.h"
#include "generator.h"
#include "lora_options.h"
#include "number_option.h"
#include "output.h"
#include "sampler_flags.h"
#include "speculation_flags.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kSessionBytesMax = std::int64_t{64} << 20;

/// Ctrl-C cancels the answer that is under way, if there is one, and nothing else.
class ChatInterrupt {
 public:
  ChatInterrupt()
      : guard_(
            [](void* token) {
              auto* running = static_cast<std::atomic<CancelToken*>*>(token)->load();
              if (running != nullptr) running->cancel();
            },
            &running_) {}
  void begin(CancelToken* token) { running_.store(token); }
  void end() { running_.store(nullptr); }
  /// Whether there was one since the last call.
  bool take() { return guard_.take(); }
  bool terminated() const { return guard_.terminated(); }

 private:
  std::atomic<CancelToken*> running_{nullptr};
  InterruptGuard guard_;
};

class Chat final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, options_);
    declare_lora(app, options_.loras);
    declare_speculation(app, options_);
    declare_context_shift(app, shift_, "what stands before the first message");
    app.add_option("--system", prompt_.system, "what stands before the conversation");
    app.add_option("--session", session_,
                   "JSON file: the conversation that is there is gone on with, and every turn is "
                   "saved to it");
    declare_chat_template(app, prompt_);
    add_number(app, "-n,--tokens", settings_.new_tokens, {1}, "tokens of an answer at most");
    declare_sampler(app, sampler_);
    app_ = &app;
  }

  Status run(const Common& common) override {
    common_ = &common;
    if (auto status = check_context_shift(common, shift_); !status) return status;
    auto sampler = chosen_sampler(*app_, sampler_);
    if (!sampler) return sampler.error();
    settings_.sampler = sampler.take();
    settings_.stops = sampler_.stops;
    settings_.shift = shift_.on;
    settings_.keep = shift_.keep;
    if (auto status = resume(); !status) return status;
    // The conversation, and what it was before its last message was taken back.
    options_.batcher.retained_texts_max = 4;
    auto generator = open_generator(common, options_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    if (auto s = check_sampler(settings_.sampler, batcher.model().vocabulary); !s) return s;
    auto chosen = chosen_template(common, prompt_, *batcher.model().tokenizer, false);
    if (!chosen) return chosen.error();
    ChatTurns turns(batcher, chosen.take());
    batcher_ = &batcher;
    turns_ = &turns;
    interrupt_.emplace();
    Status status = talk();
    interrupt_.reset();
    return status;
  }

 private:
  Status resume() {
    history_.system = prompt_.system;
    if (session_.empty() || path_kind(session_) == PathKind::kMissing) return Status::success();
    auto loaded = load(session_);
    if (!loaded) return loaded.error();
    history_ = loaded.take();
    if (!prompt_.system.empty()) history_.system = prompt_.system;
    return Status::success();
  }

  static Result<ChatHistory> load(const std::string& path) {
    const auto text = read_file(path, kSessionBytesMax);
    if (!text) return text.error();
    auto history = ChatHistory::from_json(*text);
    if (!history) return history.error().with_context("'" + path + "'");
    return history;
  }

  Status talk() {
    const bool person = stdin_is_terminal() && !common_->json;
    if (person && !common_->quiet) note("/help lists the commands, /quit or Ctrl-D ends.\n");
    LineInput input;
    std::string message;
    int interrupts = 0;  // in a row
    while (!interrupt_->terminated()) {
      if (person) print_text(message.empty() ? "> " : ". ");
      std::string line;
      const LineEnd end = input.read(line);
      if (end == LineEnd::kInterrupted) {
        message.clear();
        if (interrupt_->take() && ++interrupts == 2) break;
        if (person) note("\nCtrl-C again, Ctrl-D or /quit ends.\n");
        continue;
      }
      interrupts = 0;
      if (end == LineEnd::kEnd) break;
      if (end == LineEnd::kTooLong) {
        complain(Error::invalid("[chat] line, got more than 16 MiB, wanted less"));
        continue;
      }
      if (line.ends_with('\\')) {
        line.back() = '\n';
        message += line;
        continue;
      }
      message += line;
      const std::string whole = std::exchange(message, {});
      if (whole.find_first_not_of(" \t\n") == std::string::npos) continue;
      auto command = read_chat_line(whole);
      if (!command) {
        complain(command.error());
        continue;
      }
      if (command->verb == ChatVerb::kQuit) break;
      if (auto status = obey(*command); !status) return status;
      if (auto status = output_status(); !status) return status;
    }
    if (person) print_line("");
    return Status::success();
  }

  /// Errors: those after which there is no going on.
  Status obey(const ChatCommand& command) {
    switch (command.verb) {
      case ChatVerb::kSay: return say(command.text);
      case ChatVerb::kHelp: note(chat_help()); return Status::success();
      case ChatVerb::kSystem: return system(command.text);
      case ChatVerb::kClear: history_.messages.clear(); return renewed();
      case ChatVerb::kUndo:
        if (!history_.take_last_user()) return nothing_there();
        return saved();
      case ChatVerb::kRetry: return retry({});
      case ChatVerb::kEdit: return retry(command.text);
      case ChatVerb::kHistory: show_history(); return Status::success();
      case ChatVerb::kSave:
        if (auto status = write_file(command.text, history_.to_json()); !status) {
          complain(status.error());
        }
        return Status::success();
      case ChatVerb::kLoad: return load_from(command.text);
      case ChatVerb::kStats: show_stats(); return Status::success();
      case ChatVerb::kQuit: break;
    }
    return Status::success();
  }

  Status nothing_there() const {
    complain(Error::not_found("[chat] no message is there yet"));
    return Status::success();
  }

  Status system(const std::string& text) {
    if (text.empty()) {
      note(history_.system + "\n");
      return Status::success();
    }
    history_.system = text;
    return saved();
  }

  Status load_from(const std::string& path) {
    auto loaded = load(path);
    if (!loaded) {
      complain(loaded.error());
      return Status::success();
    }
    history_ = loaded.take();
    return renewed();
  }

  /// Another conversation is there.
  Status renewed() {
    turns_->restart();
    dropped_ = 0;
    return saved();
  }

  Status retry(const std::string& text) {
    auto last = history_.take_last_user();
    if (!last) return nothing_there();
    ++settings_.sampler.sequence;
    return say(text.empty() ? *last : text);
  }

  Status say(const std::string& text) {
    if (history_.messages.size() + 2 > ChatHistory::kMessagesMax) {
      complain(Error::exhausted("[chat] messages, got " +
                                std::to_string(ChatHistory::kMessagesMax) +
                                ", wanted fewer: /clear forgets them"));
      return Status::success();
    }
    history_.add("user", text);
    CancelToken token;
    RunOptions options;
    options.cancel = &token;
    const std::size_t dropped = dropped_;
    interrupt_->begin(&token);
    auto answer = turns_->answer(history_, settings_, options,
                                 common_->json ? [](std::string_view) {} : print_text);
    interrupt_->end();
    interrupt_->take();
    if (!answer) {
      history_.take_last_user();
      const ErrorCode code = answer.error().code();
      if (code != ErrorCode::kExhausted && code != ErrorCode::kInvalid) return answer.error();
      complain(answer.error());
      return Status::success();
    }
    if (!common_->json) print_line("");
    if (answer->finish == FinishReason::kCancelled && answer->text.empty()) {
      history_.take_last_user();
      warn("nothing was answered: the message is taken back");
      return Status::success();
    }
    dropped_ = answer->dropped;
    if (dropped_ > dropped) {
      warn("the context of " + std::to_string(batcher_->context_tokens()) +
           " tokens is full: the oldest " + std::to_string(dropped_) +
           " messages are not shown to the model any more");
    }
    if (answer->counters.shifts > 0) {
      warn("the context was full " + std::to_string(answer->counters.shifts) +
           " times in this answer: it went on without " +
           std::to_string(answer->counters.dropped_tokens) + " tokens");
    }
    if (answer->finish == FinishReason::kContext || answer->finish == FinishReason::kCache) {
      warn("the context is full: the answer is cut");
    }
    if (answer->finish == FinishReason::kNoToken) complain(Error::invalid(answer->error));
    history_.add("assistant", answer->text);
    count(*answer);
    if (common_->json) print_answer(*answer);
    return saved();
  }

  void count(const ChatAnswer& answer) {
    last_ = answer;
    ++turns_counted_;
    prompt_tokens_ += answer.prompt_tokens;
    computed_tokens_ += answer.computed_tokens;
  }

  Status saved() const {
    return session_.empty() ? Status::success() : write_file(session_, history_.to_json());
  }

  static double per_second(std::int64_t count, double ms) {
    return ms > 0 ? static_cast<double>(count) * 1000 / ms : 0;
  }

  void print_answer(const ChatAnswer& answer) const {
    JsonWriter json;
    json.begin_object().field("role", "assistant").field("content", answer.text);
    json.field("finish", finish_reason_name(answer.finish));
    json.field("prompt_tokens", answer.prompt_tokens);
    json.field("computed_tokens", answer.computed_tokens);
    json.field("new_tokens", answer.new_tokens);
    json.field("tokens_per_s", per_second(answer.new_tokens - 1, answer.new_ms));
    if (has_speculation(options_)) write_speculation(json, answer.counters);
    if (shift_.on) write_context_shift(json, answer.counters);
    json.field("dropped_messages", answer.dropped).end_object();
    print_line(json.text());
  }

  void show_stats() const {
    const std::int64_t context = last_.prompt_tokens + last_.new_tokens;
    if (common_->json) {
      JsonWriter json;
      json.begin_object().field("turns", turns_counted_).field("prompt_tokens", prompt_tokens_);
      json.field("computed_tokens", computed_tokens_).field("context_used", context);
      json.field("context", batcher_->context_tokens()).end_object();
      print_line(json.text());
      return;
    }
    const double share = prompt_tokens_ > 0 ? 100 * static_cast<double>(computed_tokens_) /
                                                  static_cast<double>(prompt_tokens_)
                                            : 0;
    char text[400];
    std::snprintf(text, sizeof text,
                  "%lld answers; %lld prompt tokens, of which %lld were computed (%.1f %%); last: "
                  "%lld tokens computed in %.0f ms, %lld new at %.1f/s; context %lld of %lld\n",
                  static_cast<long long>(turns_counted_), static_cast<long long>(prompt_tokens_),
                  static_cast<long long>(computed_tokens_), share,
                  static_cast<long long>(last_.computed_tokens), last_.prompt_ms,
                  static_cast<long long>(last_.new_tokens),
                  per_second(last_.new_tokens - 1, last_.new_ms), static_cast<long long>(context),
                  static_cast<long long>(batcher_->context_tokens()));
    note(text);
  }

  void show_history() const {
    std::string text;
    if (!history_.system.empty()) text += "system: " + history_.system + "\n";
    for (const ChatMessage& m : history_.messages) text += m.role + ": " + m.content + "\n";
    note(text);
  }

  /// What is no answer goes to standard error where answers are lines of JSON.
  void note(const std::string& text) const {
    if (common_->json) {
      std::fputs(text.c_str(), stderr);
    } else {
      print_text(text);
    }
  }

  void complain(const Error& error) const {
    std::fprintf(stderr, "polaris: error: %s\n", error.message().c_str());
  }

  void warn(const std::string& text) const {
    if (!common_->quiet) common_->logger().warning(text);
  }

  CLI::App* app_ = nullptr;
  const Common* common_ = nullptr;
  GeneratorOptions options_;
  ChatPrompt prompt_;
  std::string session_;
  SamplerFlags sampler_;
  ContextShift shift_{.on = true};
  ChatSettings settings_{.sampler = {}, .stops = {}, .new_tokens = 2048};

  Batcher* batcher_ = nullptr;
  ChatTurns* turns_ = nullptr;
  ChatHistory history_;
  std::optional<ChatInterrupt> interrupt_;  // while it talks
  std::size_t dropped_ = 0;
  ChatAnswer last_;
  std::int64_t turns_counted_ = 0;
  std::int64_t prompt_tokens_ = 0;
  std::int64_t computed_tokens_ = 0;
};

}  // namespace

extern const Command command_chat;
constinit const Command command_chat{"chat", "talk with a language model", make_action<Chat>};

}  // namespace polaris::cli
