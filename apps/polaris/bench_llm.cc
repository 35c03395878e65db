#include "bench_llm.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/os/clock.h"
#include "interrupt.h"
#include "model_io.h"
#include "progress.h"
#include "speculation_flags.h"

namespace polaris::cli {
namespace {

/// A prompt of `prompt` made-up tokens to be continued by `count`.
GenerateRequest request_of(const Batcher& batcher, std::int64_t prompt, std::int64_t count) {
  GenerateRequest request;
  for (std::int64_t i = 0; i < prompt; ++i) {
    request.prompt.push_back(static_cast<TokenId>((i * 7919 + 3) % batcher.model().vocabulary));
  }
  request.max_new_tokens = count;
  request.sampler.temperature = 0;
  request.adapters = batcher.model().all_adapters();
  return request;
}

Status check_depth(const Batcher& batcher, std::int64_t depth, std::int64_t fresh) {
  const std::int64_t context = batcher.model().context_tokens;
  if (depth <= context - fresh) return Status::success();
  return Error::invalid("[bench] --depth, got " + std::to_string(depth) + " and " +
                        std::to_string(fresh) + " new tokens, wanted no more than the context of " +
                        std::to_string(context));
}

/// Milliseconds of `count` new tokens after a prompt of `prompt` tokens; the prompt's own time in
/// `prompt_ms`.
Result<double> time_generation(Batcher& batcher, std::int64_t prompt, std::int64_t count,
                               const RunOptions& options, double& prompt_ms) {
  auto id = batcher.add(request_of(batcher, prompt, count));
  if (!id) return id.error();
  const std::int64_t start = monotonic_ns();
  bool first = true;
  while (!batcher.idle()) {
    auto events = batcher.step(options);
    if (!events) return events.error();
    if (first && !events->empty()) {
      prompt_ms = elapsed_ms(start);
      first = false;
    }
  }
  return elapsed_ms(start) - prompt_ms;
}

struct Figures {
  std::int64_t prompt = 0;  // tokens
  std::int64_t fresh = 0;
  double prompt_rate = 0;  // tokens a second
  double rate = 0;
  BatcherCounters counters;  // of all runs
  std::vector<NodeTime> prompt_nodes;
  std::vector<NodeTime> decode_nodes;
};

Status time_rates(const Common& common, Batcher& batcher, const LlmBench& bench,
                  const RunOptions& options, Figures& out) {
  Progress progress(common);
  std::vector<double> prompt_rates;
  std::vector<double> rates;
  double prompt_ms = 0;
  double unused_ms = 0;
  const std::int32_t all = bench.runs.warmup + bench.runs.timed;
  for (std::int32_t r = 0; r < all; ++r) {
    auto nothing = time_generation(batcher, out.prompt, 1, options, prompt_ms);
    if (!nothing) return nothing.error();
    auto new_ms = time_generation(batcher, bench.depth, out.fresh, options, unused_ms);
    if (!new_ms) return new_ms.error();
    progress.show("run", std::to_string(r + 1), std::to_string(all));
    if (r < bench.runs.warmup) continue;
    prompt_rates.push_back(static_cast<double>(out.prompt) * 1000 / prompt_ms);
    rates.push_back(static_cast<double>(out.fresh - 1) * 1000 / *new_ms);
  }
  out.prompt_rate = quantile(prompt_rates, 0.5);
  out.rate = quantile(rates, 0.5);
  out.counters = batcher.counters();
  return Status::success();
}

/// Where the time of a prompt goes, and that of the one step behind `depth` tokens.
Status profile_steps(Batcher& batcher, const LlmBench& bench, const RunOptions& options,
                     Figures& out) {
  double unused_ms = 0;
  auto prompt = profile_runs(bench.runs, options, [&](const RunOptions& run) -> Status {
    auto ms = time_generation(batcher, out.prompt, 1, run, unused_ms);
    return ms ? Status::success() : Status(ms.error());
  });
  if (!prompt) return prompt.error();
  out.prompt_nodes = prompt.take();
  auto decode = profile_runs(bench.runs, options, [&](const RunOptions& run) -> Status {
    if (auto status = start_decoding(batcher, bench.depth, 2, options); !status) return status;
    auto step = batcher.step(run);
    if (!step) return step.error();
    while (!batcher.idle()) {
      auto rest = batcher.step(options);
      if (!rest) return rest.error();
    }
    return Status::success();
  });
  if (!decode) return decode.error();
  out.decode_nodes = decode.take();
  return Status::success();
}

void print_json(const LlmBench& bench, const Figures& figures, const DeviceLimit& limit,
                const std::string& device, bool speculates) {
  const KernelTotals prompt = totals_of(figures.prompt_nodes);
  const KernelTotals decode = totals_of(figures.decode_nodes);
  JsonWriter json;
  json.begin_object().field("prompt_tokens", figures.prompt);
  json.field("prompt_tokens_per_s", figures.prompt_rate).field("tokens", figures.fresh);
  json.field("tokens_per_s", figures.rate).field("runs", bench.runs.timed);
  if (speculates) write_speculation(json, figures.counters);
  json.field("depth", bench.depth).field("prompt_kernel_ms", prompt.ms);
  write_shares(json, "prompt_", prompt, limit);
  json.field("decode_kernel_ms", decode.ms);
  write_shares(json, "decode_", decode, limit);
  limit.write(json);
  if (bench.profile) {
    json.key("profile").begin_object().key("prompt");
    write_profile(json, figures.prompt_nodes);
    json.key("decode");
    write_profile(json, figures.decode_nodes);
    json.end_object();
  }
  json.field("device", device).end_object();
  print_line(json.text());
}

void print_text(const LlmBench& bench, const Figures& figures, const DeviceLimit& limit,
                const std::string& device) {
  if (bench.profile) {
    print_line("a prompt of " + std::to_string(figures.prompt) + " tokens");
    print_profile(figures.prompt_nodes);
    print_line("");
    print_line("one token behind " + std::to_string(bench.depth));
    print_profile(figures.decode_nodes);
    print_line("");
  }
  char line[160];
  std::snprintf(
      line, sizeof line, "pp%lld %.1f tokens/s, tg%lld %.1f tokens/s, median of %d runs on %s",
      static_cast<long long>(figures.prompt), figures.prompt_rate,
      static_cast<long long>(figures.fresh), figures.rate, bench.runs.timed, device.c_str());
  print_line(line + speculation_text(figures.counters));
  print_line("prompt: " + kernels_text(totals_of(figures.prompt_nodes), limit));
  print_line("token: " + kernels_text(totals_of(figures.decode_nodes), limit));
  print_line("device: " + limit.text());
}

}  // namespace

Status start_decoding(Batcher& batcher, std::int64_t depth, std::int64_t steps,
                      const RunOptions& options) {
  if (auto status = check_depth(batcher, depth, steps); !status) return status;
  auto id = batcher.add(request_of(batcher, depth, steps));
  if (!id) return id.error();
  for (bool prompt = true; prompt;) {
    auto events = batcher.step(options);
    if (!events) return events.error();
    prompt = events->empty();
  }
  return Status::success();
}

Status bench_llm(const Common& common, const GeneratorOptions& options, const LlmBench& bench) {
  auto generator = open_generator(common, options);
  if (!generator) return generator.error();
  Batcher& batcher = *generator->batcher;
  const std::int64_t context = batcher.model().context_tokens;
  Figures figures;
  // A model trained for short texts is timed on what it can hold.
  figures.prompt = std::min(bench.prompt_tokens, context);
  figures.fresh = std::max<std::int64_t>(std::min(bench.new_tokens, context - bench.depth), 2);
  if (auto status = check_depth(batcher, bench.depth, figures.fresh); !status) return status;
  CancelOnInterrupt interrupt;
  RunOptions run;
  run.cancel = interrupt.token();
  if (auto status = time_rates(common, batcher, bench, run, figures); !status) return status;
  if (auto status = profile_steps(batcher, bench, run, figures); !status) return status;
  const auto limit = measure_limit(generator->runtime);
  if (!limit) return limit.error();
  const std::string device =
      device_text(*generator->runtime) + (common.json ? "" : layers_text(batcher.model()));
  if (common.json) {
    print_json(bench, figures, *limit, device, has_speculation(options));
  } else {
    print_text(bench, figures, *limit, device);
  }
  return Status::success();
}

}  // namespace polaris::cli
