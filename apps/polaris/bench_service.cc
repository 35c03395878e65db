#include "bench_service.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/os/clock.h"
#include "base/os/processor_time.h"
#include "bench_timing.h"
#include "interrupt.h"
#include "model_io.h"
#include "output.h"
#include "speculation_flags.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kShortPrompt = 20;
constexpr std::int64_t kLongPrompt = 4000;
constexpr std::int64_t kVeryLongPrompt = 8000;
constexpr std::uint64_t kStepsBetween = 8;  // arrivals, fewer than so many
constexpr int kTurns = 10;
constexpr std::int64_t kTogether = 8;
constexpr int kRounds = 4;           // of one text and of kTogether
constexpr std::int64_t kRates = 16;  // steps that are timed in each

struct Figures {
  std::vector<double> gaps_ms;         // between tokens of a text
  std::vector<double> gaps_cpu_ms;     // the same in processor time, of all threads
  std::vector<double> expected_ms;     // of steps that a text waited for, by the schedule
  std::vector<double> expected_off;    // what they took besides, of that
  std::vector<double> first_token_ms;  // from arrival
  double all_ms = 0;
  std::int64_t new_tokens = 0;
  std::int64_t finished = 0;  // texts that got all their tokens
  BatcherCounters counters;
  std::int64_t long_prompt = 0;
  std::int64_t chunks = 0;  // that the short prompt behind the long one took
  std::int64_t chat_prompt = 0;
  std::int64_t chat_computed = 0;
  std::vector<double> alone_ms;     // of a token, where one text decodes
  std::vector<double> together_ms;  // where kTogether do
};

/// Steps a batcher and notes what each text waited for.
class Service {
 public:
  Service(Batcher& batcher, const ServiceBench& bench, const RunOptions& run)
      : batcher_(batcher), bench_(bench), run_(run), random_(bench.seed) {}

  Status measure() {
    if (auto status = crowd(); !status) return status;
    if (auto status = short_behind_long(); !status) return status;
    if (auto status = chat(); !status) return status;
    for (int round = 0; round < kRounds; ++round) {
      if (auto status = decode(1, figures.alone_ms); !status) return status;
      if (auto status = decode(kTogether, figures.together_ms); !status) return status;
    }
    return Status::success();
  }
  Figures figures;

 private:
  struct Text {
    std::int64_t last_ns = 0;  // its arrival, then its last token
    std::int64_t last_cpu_ns = 0;
    bool started = false;
    std::vector<TokenId> ids;
  };

  std::vector<TokenId> made_up(std::int64_t count) {
    std::vector<TokenId> out;
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(static_cast<TokenId>(random_() %
                                         static_cast<std::uint64_t>(batcher_.model().vocabulary)));
    }
    return out;
  }

  Result<RequestId> add(std::vector<TokenId> prompt, std::int64_t tokens) {
    GenerateRequest request;
    request.prompt = std::move(prompt);
    request.max_new_tokens = tokens;
    request.sampler.temperature = 0;
    auto id = batcher_.add(std::move(request));
    if (id) texts_[*id].last_ns = monotonic_ns();
    return id;
  }

  Status step(bool counts) {
    const std::int64_t start = monotonic_ns();
    auto events = batcher_.step(run_);
    if (!events) return events.error();
    const std::int64_t now = monotonic_ns();
    const std::int64_t cpu = process_cpu_ns();
    bool waited = false;
    for (const TokenEvent& event : *events) {
      Text& text = texts_[event.request];
      if (counts && event.finish == FinishReason::kLength) ++figures.finished;
      if (event.token < 0) continue;
      text.ids.push_back(event.token);
      waited |= text.started;
      if (counts) note_token(text, now, cpu);
      text.started = true;
      text.last_ns = now;
      text.last_cpu_ns = cpu;
    }
    if (counts && waited) note_step(static_cast<double>(now - start) * 1e-6);
    return Status::success();
  }

  void note_token(const Text& text, std::int64_t now, std::int64_t cpu) {
    const double ms = static_cast<double>(now - text.last_ns) * 1e-6;
    ++figures.new_tokens;
    if (!text.started) {
      figures.first_token_ms.push_back(ms);
      return;
    }
    figures.gaps_ms.push_back(ms);
    figures.gaps_cpu_ms.push_back(static_cast<double>(cpu - text.last_cpu_ns) * 1e-6);
  }

  void note_step(double ms) {
    const double expected = batcher_.counters().expected_ms;
    if (expected <= 0) return;
    figures.expected_ms.push_back(expected);
    figures.expected_off.push_back(std::abs(ms / expected - 1));
  }

  Status finish(bool counts) {
    while (!batcher_.idle()) {
      if (auto status = step(counts); !status) return status;
    }
    return Status::success();
  }

  Status crowd() {
    const std::int64_t most = std::min(kLongPrompt, batcher_.context_tokens() - bench_.new_tokens);
    const std::int64_t start = monotonic_ns();
    const BatcherCounters before = batcher_.counters();
    for (std::int64_t i = 0; i < bench_.sequences; ++i) {
      const auto range = static_cast<std::uint64_t>(most - kShortPrompt + 1);
      const std::int64_t length = kShortPrompt + static_cast<std::int64_t>(random_() % range);
      if (auto id = add(made_up(length), bench_.new_tokens); !id) return id.error();
      for (std::uint64_t steps = random_() % kStepsBetween; steps > 0; --steps) {
        if (auto status = step(true); !status) return status;
      }
    }
    if (auto status = finish(true); !status) return status;
    figures.all_ms = elapsed_ms(start);
    figures.counters = batcher_.counters();
    figures.counters.prompt_tokens -= before.prompt_tokens;
    figures.counters.computed_tokens -= before.computed_tokens;
    figures.counters.run_tokens -= before.run_tokens;
    figures.counters.recomputed_tokens -= before.recomputed_tokens;
    figures.counters.preempted -= before.preempted;
    figures.counters.drafted -= before.drafted;
    figures.counters.accepted -= before.accepted;
    return Status::success();
  }

  Status short_behind_long() {
    figures.long_prompt = std::min(kVeryLongPrompt, batcher_.context_tokens() - 1);
    auto long_id = add(made_up(figures.long_prompt), 1);
    if (!long_id) return long_id.error();
    if (auto status = step(false); !status) return status;
    auto short_id = add(made_up(kShortPrompt), 1);
    if (!short_id) return short_id.error();
    while (!texts_[*short_id].started) {
      if (auto status = step(false); !status) return status;
      ++figures.chunks;
    }
    return finish(false);
  }

  Status chat() {
    const std::int64_t part = std::min<std::int64_t>(batcher_.context_tokens() / (2 * kTurns), 64);
    std::vector<TokenId> ids;
    const BatcherCounters before = batcher_.counters();
    for (int turn = 0; turn < kTurns; ++turn) {
      const std::vector<TokenId> message = made_up(part);
      ids.insert(ids.end(), message.begin(), message.end());
      auto id = add(ids, part);
      if (!id) return id.error();
      if (auto status = finish(false); !status) return status;
      const std::vector<TokenId>& answer = texts_[*id].ids;
      ids.insert(ids.end(), answer.begin(), answer.end());
    }
    figures.chat_prompt = batcher_.counters().prompt_tokens - before.prompt_tokens;
    figures.chat_computed = batcher_.counters().computed_tokens - before.computed_tokens;
    return Status::success();
  }

  /// Times steps that only decode, once all texts do.
  Status decode(std::int64_t texts, std::vector<double>& times_ms) {
    for (std::int64_t i = 0; i < texts; ++i) {
      // The last to be through with its prompt sees all others still running.
      if (auto id = add(made_up(kShortPrompt), kRates + 4 * texts); !id) return id.error();
    }
    std::int64_t timed = 0;
    while (!batcher_.idle()) {
      const std::int64_t start = monotonic_ns();
      auto events = batcher_.step(run_);
      if (!events) return events.error();
      const BatcherCounters& counters = batcher_.counters();
      if (counters.decoding != texts || counters.prompt != 0 || ++timed > kRates) continue;
      // Drafted tokens may bring more of them than there are texts.
      times_ms.push_back(elapsed_ms(start) / static_cast<double>(events->size()));
    }
    return Status::success();
  }

  Batcher& batcher_;
  const ServiceBench& bench_;
  const RunOptions& run_;
  std::mt19937_64 random_;
  std::map<RequestId, Text> texts_;
};

double share_of(std::int64_t part, std::int64_t all) {
  return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0;
}

double part(const std::vector<double>& values, double q) {
  return values.empty() ? 0 : quantile(values, q);
}

/// Tokens a second by the middle one of such times; 0 where there is none.
double rate_of(const std::vector<double>& token_ms) {
  return token_ms.empty() ? 0 : 1000 / quantile(token_ms, 0.5);
}

double together_ratio(const Figures& f) {
  const double alone = rate_of(f.alone_ms);
  return alone > 0 ? rate_of(f.together_ms) / alone : 0;
}

double largest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

void print_json(const ServiceBench& bench, const Figures& f, const std::string& device) {
  JsonWriter json;
  json.begin_object().field("sequences", bench.sequences);
  json.field("step_budget_ms", bench.step_budget_ms);
  json.field("gap_ms_max", largest(f.gaps_ms)).field("gap_ms_p90", part(f.gaps_ms, 0.9));
  json.field("gap_ms_median", part(f.gaps_ms, 0.5));
  json.field("gap_processor_ms_max", largest(f.gaps_cpu_ms));
  json.field("step_expected_ms_max", largest(f.expected_ms));
  json.field("step_off_median", part(f.expected_off, 0.5));
  json.field("step_off_p90", part(f.expected_off, 0.9));
  json.field("first_token_ms_max", largest(f.first_token_ms));
  json.field("first_token_ms_median", part(f.first_token_ms, 0.5));
  json.field("tokens_per_s", static_cast<double>(f.new_tokens) * 1000 / f.all_ms);
  json.field("prompt_tokens", f.counters.prompt_tokens);
  json.field("computed_tokens", f.counters.computed_tokens);
  json.field("run_tokens", f.counters.run_tokens);
  json.field("recomputed_tokens", f.counters.recomputed_tokens);
  json.field("recomputed_share", share_of(f.counters.recomputed_tokens, f.counters.run_tokens));
  json.field("preempted", f.counters.preempted);
  json.field("preempted_most", f.counters.preempted_most);
  json.field("finished", f.finished).field("cache_sequences", bench.cache_sequences);
  write_speculation(json, f.counters);
  json.field("long_prompt_tokens", f.long_prompt).field("short_behind_long_chunks", f.chunks);
  json.field("chat_prompt_tokens", f.chat_prompt).field("chat_computed_tokens", f.chat_computed);
  json.field("chat_computed_share", share_of(f.chat_computed, f.chat_prompt));
  json.field("alone_tokens_per_s", rate_of(f.alone_ms));
  json.field("together_sequences", kTogether);
  json.field("together_tokens_per_s", rate_of(f.together_ms));
  json.field("together_ratio", together_ratio(f));
  json.field("device", device).end_object();
  print_line(json.text());
}

void print_human(const ServiceBench& bench, const Figures& f, const std::string& device) {
  char line[300];
  std::snprintf(line, sizeof line,
                "%lld of %lld texts finished, steps of %.0f ms, on %s: %.1f new tokens/s beside "
                "%lld prompt tokens (%lld computed)",
                static_cast<long long>(f.finished), static_cast<long long>(bench.sequences),
                bench.step_budget_ms, device.c_str(),
                static_cast<double>(f.new_tokens) * 1000 / f.all_ms,
                static_cast<long long>(f.counters.prompt_tokens),
                static_cast<long long>(f.counters.computed_tokens));
  print_line(line);
  std::snprintf(line, sizeof line,
                "a cache of %lld contexts: %lld texts pushed out, none more than %lld times; %lld "
                "tokens computed again (%.1f %% of all that were run)",
                static_cast<long long>(bench.cache_sequences),
                static_cast<long long>(f.counters.preempted),
                static_cast<long long>(f.counters.preempted_most),
                static_cast<long long>(f.counters.recomputed_tokens),
                100 * share_of(f.counters.recomputed_tokens, f.counters.run_tokens));
  print_line(line);
  std::snprintf(line, sizeof line,
                "between tokens: median %.1f ms, p90 %.1f, largest %.1f (%.2f of the budget; "
                "largest in processor time %.1f)",
                part(f.gaps_ms, 0.5), part(f.gaps_ms, 0.9), largest(f.gaps_ms),
                largest(f.gaps_ms) / bench.step_budget_ms, largest(f.gaps_cpu_ms));
  print_line(line);
  std::snprintf(line, sizeof line,
                "steps with texts waiting: expected to take at most %.1f ms; off by %.0f %% "
                "(median), %.0f %% (p90)",
                largest(f.expected_ms), 100 * part(f.expected_off, 0.5),
                100 * part(f.expected_off, 0.9));
  print_line(line);
  std::snprintf(line, sizeof line,
                "to the first token: median %.1f ms, largest %.1f; %lld tokens behind %lld: %lld "
                "chunks",
                part(f.first_token_ms, 0.5), largest(f.first_token_ms),
                static_cast<long long>(kShortPrompt), static_cast<long long>(f.long_prompt),
                static_cast<long long>(f.chunks));
  print_line(line);
  std::snprintf(line, sizeof line,
                "a chat of %d turns: %lld of %lld prompt tokens computed (%.1f %%)", kTurns,
                static_cast<long long>(f.chat_computed), static_cast<long long>(f.chat_prompt),
                100 * share_of(f.chat_computed, f.chat_prompt));
  print_line(line);
  std::snprintf(line, sizeof line,
                "tokens a second: one text %.1f, %lld texts %.1f, which is %.2f times as many",
                rate_of(f.alone_ms), static_cast<long long>(kTogether), rate_of(f.together_ms),
                together_ratio(f));
  print_line(line);
}

}  // namespace

Status bench_service(const Common& common, GeneratorOptions options, ServiceBench bench) {
  // Prompts are half of a context on the average.
  if (bench.cache_sequences == 0) bench.cache_sequences = bench.sequences / 2 + 1;
  options.sequences = bench.cache_sequences;
  options.batcher.step_budget_ms = bench.step_budget_ms;
  options.batcher.retained_texts_max = bench.sequences;
  auto generator = open_generator(common, options);
  if (!generator) return generator.error();
  Batcher& batcher = *generator->batcher;
  const std::int64_t least = kShortPrompt + std::max(bench.new_tokens, kRates + 4 * kTogether);
  if (batcher.context_tokens() < least) {
    return Error::invalid("[bench] context, got " + std::to_string(batcher.context_tokens()) +
                          " tokens, wanted at least " + std::to_string(least));
  }
  CancelOnInterrupt interrupt;
  RunOptions run;
  run.cancel = interrupt.token();
  ServiceBench first = bench;
  first.seed = bench.seed + 1;  // else its prompts would be in the cache
  Service before(batcher, first, run);
  if (auto status = before.measure(); !status) return status;
  Service service(batcher, bench, run);
  if (auto status = service.measure(); !status) return status;
  const std::string device = device_text(*generator->runtime);
  if (common.json) {
    print_json(bench, service.figures, device);
  } else {
    print_human(bench, service.figures, device);
  }
  return Status::success();
}

}  // namespace polaris::cli
