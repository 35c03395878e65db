#include <CLI/CLI.hpp>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/os/clock.h"
#include "chat_prompt.h"
#include "command.h"
#include "context_shift_flags.h"
#include "generator.h"
#include "ids_file.h"
#include "interrupt.h"
#include "lora_options.h"
#include "number_option.h"
#include "profile.h"
#include "progress.h"
#include "sampler_flags.h"
#include "speculation_flags.h"
#include "text/logprobs.h"
#include "text/stop_strings.h"
#include "wire/npy.h"

namespace polaris::cli {
namespace {

constexpr std::uint64_t kLogprobsMax = 1000;

double per_second(std::int64_t count, double ms) {
  return ms > 0 ? static_cast<double>(count) * 1000 / ms : 0;
}

class Generate final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, options_);
    declare_lora(app, options_.loras);
    declare_speculation(app, options_);
    declare_context_shift(app, shift_, "BOS, where the prompt begins with it");
    auto* prompt = app.add_option("-p,--prompt,prompt", prompt_, "text to go on from");
    app.add_option("--ids-file", ids_file_, "JSON list of the prompt's ids, in place of a text")
        ->excludes(prompt);
    auto* chat = app.add_flag("--chat", chat_,
                              "the prompt is a user's message, which a chat template renders; so "
                              "it is anyway where the model's file ships one");
    auto* system = app.add_option("--system", chat_prompt_.system, "what stands before it");
    auto* messages =
        app.add_option(
               "--messages", chat_prompt_.messages_file,
               "JSON file with a conversation, in place of a prompt: a list of messages, or "
               "an object with \"messages\", \"tools\" and whatever the template knows")
            ->excludes(prompt)
            ->excludes(system);
    declare_chat_template(app, chat_prompt_);
    app.add_option(
        "--force-ids", force_file_,
        "JSON list of ids to go on with, whatever is likely, past the end of the text too; "
        "-n is their count");
    app.add_option(
        "--logits", logits_file_,
        "file for the logits that each new id was picked from, .npy of [ids, vocabulary]");
    add_number(app, "-n,--tokens", tokens_, {1}, "new tokens at most");
    declare_sampler(app, sampler_);
    add_number(app, "--logprobs", logprobs_, {0, kLogprobsMax},
               "with --json: the logarithms of the probabilities of each new token and of the so "
               "many likeliest, as the model gave them");
    app.add_flag("--raw-prompt", raw_, "take the prompt as it is, with no chat template")
        ->excludes(chat)
        ->excludes(system)
        ->excludes(messages);
    app.add_flag("--ignore-eos", ignore_eos_, "go on after the end of the text");
    app.add_flag("--profile", profile_, "a table of the nodes' times, and what was planned");
    app_ = &app;
  }

  Status run(const Common& common) override {
    const bool has_messages = !chat_prompt_.messages_file.empty();
    if (app_->count("--prompt") == 0 && ids_file_.empty() && !has_messages) {
      return common.usage_error(
          "a prompt is missing, wanted --prompt TEXT, --messages FILE or --ids-file FILE");
    }
    chat_ |= has_messages || !chat_prompt_.system.empty() || !chat_prompt_.chat_template.empty();
    if (chat_ && (raw_ || !ids_file_.empty())) {
      return common.usage_error("--raw-prompt and --ids-file go without a chat template");
    }
    if (app_->count("--logprobs") > 0 && !common.json) {
      return common.usage_error("--logprobs goes with --json");
    }
    if (auto status = check_context_shift(common, shift_); !status) return status;
    GenerateRequest request;
    if (auto status = read_files(request); !status) return status;
    auto sampler = chosen_sampler(*app_, sampler_);
    if (!sampler) return sampler.error();
    stream_ = TextStream(sampler_.stops);
    auto generator = open_generator(common, options_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    const Tokenizer& tokenizer = *batcher.model().tokenizer;
    if (auto status = encode_prompt(tokenizer, common, request); !status) return status;
    request.max_new_tokens = tokens_;
    request.logits = !logits_file_.empty() || app_->count("--logprobs") > 0;
    request.sampler = sampler.take();
    request.adapters = batcher.model().all_adapters();
    if (shift_.on) request.shift_keep = kept_tokens(tokenizer, request.prompt);
    if (!ignore_eos_ && force_file_.empty()) request.end_tokens = batcher.model().end_tokens;
    prompt_tokens_ = static_cast<std::int64_t>(request.prompt.size());
    vocabulary_ = batcher.model().vocabulary;
    auto id = batcher.add(std::move(request));
    if (!id) return id.error();
    auto status = decode(batcher, tokenizer, common);
    if (!status && status.error().code() != ErrorCode::kCancelled) return status;
    if (!status) {
      finish_ = FinishReason::kCancelled;
      text_ += emit(stream_.flush(), common);
    }
    if (auto saved = save_logits(); !saved) return saved;
    finish(common, *generator);
    if (finish_ == FinishReason::kNoToken) return Error::invalid(why_);
    return status;
  }

 private:
  std::int64_t kept_tokens(const Tokenizer& tokenizer, std::span<const TokenId> prompt) const {
    if (shift_.keep >= 0) return shift_.keep;
    return !prompt.empty() && prompt[0] == tokenizer.vocabulary().bos ? 1 : 0;
  }

  Status read_files(GenerateRequest& request) {
    if (!ids_file_.empty()) {
      auto ids = read_ids(ids_file_);
      if (!ids) return ids.error();
      request.prompt = ids.take();
    }
    if (force_file_.empty()) return Status::success();
    auto ids = read_ids(force_file_);
    if (!ids) return ids.error();
    if (ids->empty()) return Error::invalid("[cli] '" + force_file_ + "' holds no id to force");
    request.forced = ids.take();
    if (app_->count("--tokens") == 0) tokens_ = static_cast<std::int64_t>(request.forced.size());
    return Status::success();
  }

  Status encode_prompt(const Tokenizer& tokenizer, const Common& common, GenerateRequest& request) {
    chat_ |= !raw_ && ids_file_.empty() && !tokenizer.settings().chat_templates.empty();
    if (!ids_file_.empty()) {
      prompt_ = tokenizer.decode(request.prompt);
    } else if (chat_) {
      chat_prompt_.user = std::move(prompt_);
      prompt_.clear();  // a conversation is not shown again
      const auto text = render_prompt(common, chat_prompt_, tokenizer);
      if (!text && !chat_prompt_.messages_file.empty()) return text.error();
      if (!text) {
        return Error(text.error().code(),
                     text.error().message() + "; --raw-prompt goes without a template");
      }
      auto ids = encode_chat(tokenizer, *text);
      if (!ids) return ids.error();
      request.prompt = ids.take();
    } else {
      auto ids = tokenizer.encode(
          prompt_, {.add_special = true, .parse_special = !raw_, .to_continue = true});
      if (!ids) return ids.error();
      request.prompt = ids.take();
    }
    warn_double_bos(common, tokenizer, request.prompt);
    return Status::success();
  }

  Status decode(Batcher& batcher, const Tokenizer& tokenizer, const Common& common) {
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    if (profile_) options.profile = &times_;
    const std::int64_t start = monotonic_ns();
    Progress progress(common);
    std::int64_t read = 0;  // tokens of the prompt
    while (!batcher.idle()) {
      const BatcherCounters before = batcher.counters();
      auto events = batcher.step(options);
      if (!events) return events.error();
      warn_context_shift(common, batcher, before);
      read += BatcherOptions{}.tokens_per_step;
      if (events->empty()) {
        progress.show("prompt", std::to_string(read), std::to_string(prompt_tokens_) + " tokens");
      } else {
        progress.clear();
      }
      for (const TokenEvent& event : *events) {
        take(event, tokenizer, common, start);
        if (finish_ != FinishReason::kStop) continue;
        batcher.cancel(event.request);
        break;
      }
      // Nobody reads on: no need to go on.
      if (auto status = output_status(); !status) return status;
    }
    text_ += emit(stream_.flush(), common);
    return Status::success();
  }

  void take(const TokenEvent& event, const Tokenizer& tokenizer, const Common& common,
            std::int64_t start) {
    if (ids_.empty()) {
      prompt_ms_ = elapsed_ms(start);
      if (!common.quiet) emit(prompt_, common);
    }
    total_ms_ = elapsed_ms(start);
    finish_ = event.finish;
    why_ = event.error;
    if (event.token < 0) return;
    ids_.push_back(event.token);
    if (!logits_file_.empty()) {
      logits_.insert(logits_.end(), event.logits.begin(), event.logits.end());
    }
    if (event.finish == FinishReason::kEnd) return;
    const std::string text = stream_.push(tokenizer.piece(event.token));
    if (stream_.stopped()) finish_ = FinishReason::kStop;
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("token", event.token).field("piece", text);
      if (app_->count("--logprobs") > 0) write_logprobs(json, event, tokenizer);
      print_line(json.end_object().text());
    }
    text_ += emit(text, common);
  }

  void write_logprobs(JsonWriter& json, const TokenEvent& event, const Tokenizer& tokenizer) const {
    json.field("logprob", log_probability(event.logits, event.token));
    json.key("top_logprobs").begin_array();
    for (const TokenLogprob& top : top_logprobs(event.logits, logprobs_)) {
      json.begin_object().field("token", top.id).field("piece", tokenizer.piece(top.id));
      json.field("logprob", top.logprob).end_object();
    }
    json.end_array();
  }

  static std::string emit(std::string text, const Common& common) {
    if (!common.json) print_text(text);
    return text;
  }

  Status save_logits() const {
    if (logits_file_.empty()) return Status::success();
    const TensorType type{DType::kF32, {static_cast<std::int64_t>(ids_.size()), vocabulary_}, {}};
    const auto tensor = Tensor::from_bytes(type, std::as_bytes(std::span(logits_)));
    if (!tensor) return tensor.error();
    return save_npy(logits_file_, *tensor);
  }

  void finish(const Common& common, Generator& generator) {
    const double prompt_rate = per_second(prompt_tokens_, prompt_ms_);
    const auto later = static_cast<std::int64_t>(ids_.size()) - 1;
    const double rate = per_second(later, total_ms_ - prompt_ms_);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("text", text_).key("ids").begin_array();
      for (TokenId id : ids_) json.value(id);
      json.end_array().field("prompt_tokens", prompt_tokens_);
      json.field("prompt_tokens_per_s", prompt_rate).field("tokens_per_s", rate);
      json.field("finish", finish_reason_name(finish_));
      if (has_speculation(options_)) write_speculation(json, generator.batcher->counters());
      if (shift_.on) write_context_shift(json, generator.batcher->counters());
      if (!logits_file_.empty()) json.field("logits", logits_file_);
      if (const auto& fit = generator.batcher->model().fit) {
        json.field("layers", fit->layers).field("gpu_layers", fit->card_layers);
      }
      json.key("peak_bytes").begin_array();
      for (const Device* device : generator.runtime->devices()) {
        json.value(device->counters().peak_bytes);
      }
      json.end_array().key("read_back_bytes").begin_array();
      for (DeviceIndex d = 0; d < generator.runtime->device_count(); ++d) {
        json.value(generator.runtime->traffic(d).from_device.load());
      }
      json.end_array();
      json.field("device", device_text(*generator.runtime)).end_object();
      print_line(json.text());
      return;
    }
    print_line("");
    if (profile_) print_profile(times_);
    if (profile_) print_counters(generator);
    if (common.quiet) return;
    std::fprintf(
        stderr, "%lld prompt tokens at %.1f/s, %zu new at %.1f/s%s, finished by %s, on %s%s\n",
        static_cast<long long>(prompt_tokens_), prompt_rate, ids_.size(), rate,
        speculation_text(generator.batcher->counters()).c_str(),
        std::string(finish_reason_name(finish_)).c_str(), device_text(*generator.runtime).c_str(),
        layers_text(generator.batcher->model()).c_str());
  }

  static void print_counters(Generator& generator) {
    std::string line =
        "plans " + std::to_string(generator.batcher->model().program->plans_created());
    for (DeviceIndex d = 0; d < generator.runtime->device_count(); ++d) {
      const DeviceCounters counters = generator.runtime->device(d).counters();
      line += "; " + generator.runtime->device(d).info().id + ": command buffers " +
              std::to_string(counters.command_buffers) + ", allocations " +
              std::to_string(counters.allocations) + ", submits " +
              std::to_string(counters.submits) + ", peak " + bytes_text(counters.peak_bytes) +
              ", read back " + bytes_text(generator.runtime->traffic(d).from_device);
    }
    print_line(line);
  }

  CLI::App* app_ = nullptr;
  GeneratorOptions options_;
  std::string prompt_;
  std::string ids_file_;
  std::string force_file_;
  std::string logits_file_;
  std::int64_t tokens_ = 128;
  SamplerFlags sampler_;
  ContextShift shift_;
  std::uint64_t logprobs_ = 0;
  bool raw_ = false;
  bool chat_ = false;
  ChatPrompt chat_prompt_;
  bool ignore_eos_ = false;
  bool profile_ = false;

  std::vector<NodeTime> times_;
  TextStream stream_;
  std::string text_;
  std::vector<TokenId> ids_;
  std::vector<float> logits_;  // [ids, vocabulary], where --logits asks for them
  std::int64_t vocabulary_ = 0;
  FinishReason finish_ = FinishReason::kNone;
  std::string why_;  // of kNoToken
  std::int64_t prompt_tokens_ = 0;
  double prompt_ms_ = 0;
  double total_ms_ = 0;
};

}  // namespace

extern const Command command_generate;
constinit const Command command_generate{"generate", "go on from a prompt with a language model",
                                         make_action<Generate>};

}  // namespace polaris::cli
