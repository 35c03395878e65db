#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/os/clock.h"
#include "command.h"
#include "device_limit.h"
#include "generator.h"
#include "interrupt.h"
#include "load/load.h"
#include "model_io.h"
#include "profile.h"
#include "progress.h"
#include "session/session.h"

namespace polaris::cli {
namespace {

double quantile(std::vector<double> sorted, double q) {
  std::sort(sorted.begin(), sorted.end());
  const auto at = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[at];
}

class Bench final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, options_);
    app.add_option("--function", function_, "function to run");
    app.add_option("--runs", runs_, "timed runs")->capture_default_str();
    app.add_option("--warmup", warmup_, "runs before them")->capture_default_str();
    app.add_flag("--llm", llm_, "tokens per second: pp512 (prompt) and tg128 (generation)");
    app.add_option("--prompt-tokens", prompt_tokens_, "of pp, with --llm")->capture_default_str();
    app.add_option("--tokens", new_tokens_, "of tg, with --llm")->capture_default_str();
    app.add_option("--depth", depth_, "tokens in the cache before tg")->capture_default_str();
    app.add_flag("--profile", profile_, "a table of the nodes' times");
  }

  Status run(const Common& common) override {
    if (runs_ < 1 || warmup_ < 0) {
      return Error::invalid("[cli] --runs and --warmup, wanted at least 1 and 0");
    }
    if (prompt_tokens_ < 1 || new_tokens_ < 2 || depth_ < 1) {
      return Error::invalid(
          "[cli] --prompt-tokens, --tokens and --depth, wanted at least 1, 2 and 1");
    }
    if (llm_) return run_llm(common);
    {
      auto opened = open_model(common, options_.model);
      if (!opened) return opened.error();
      auto graph = take_function(opened->model, function_);
      if (!graph) return graph.error();
      const auto& states = graph->states();
      const bool language = std::any_of(states.begin(), states.end(),
                                        [](const StateUse& use) { return use.state->paged; });
      if (!language) return run_model(common, *opened, graph.take());
    }
    return run_decode(common);
  }

 private:
  /// What is timed: one run of a graph, or one step of a language model.
  using OneRun = FunctionRef<Status(const RunOptions&)>;

  Status run_model(const Common& common, Opened& opened, Graph graph) {
    auto types = concrete_inputs(graph, common);
    if (!types) return types.error();
    auto inputs = random_inputs(*types, 0);
    if (!inputs) return inputs.error();
    auto program = Program::compile(opened.runtime, std::move(graph), opened.options);
    if (!program) return program.error();
    auto session = Session::create(*program);
    if (!session) return session.error();
    std::vector<Tensor> outputs;
    return time_runs(common, opened.runtime, [&](const RunOptions& options) {
      return (*session)->run(*inputs, outputs, options);
    });
  }

  /// A language model without --llm: one new token behind --depth tokens is a run.
  Status run_decode(const Common& common) {
    auto generator = open_generator(common, options_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    const std::int64_t steps = std::int64_t{warmup_} + runs_ + 2;
    if (auto status = check_depth(batcher, steps); !status) return status;
    auto id = batcher.add(request_of(batcher, depth_, steps));
    if (!id) return id.error();
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    for (bool prompt = true; prompt;) {
      auto events = batcher.step(options);
      if (!events) return events.error();
      prompt = events->empty();
    }
    return time_runs(common, generator->runtime, [&](const RunOptions& run_options) -> Status {
      auto events = batcher.step(run_options);
      return events ? Status::success() : Status(events.error());
    });
  }

  Status time_runs(const Common& common, const std::shared_ptr<Runtime>& runtime, OneRun one) {
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    Progress progress(common);
    std::vector<double> times_ms;
    for (int r = 0; r < warmup_ + runs_; ++r) {
      const std::int64_t start = monotonic_ns();
      if (auto status = one(options); !status) return status;
      if (r >= warmup_) times_ms.push_back(elapsed_ms(start));
      progress.show("run", std::to_string(r + 1), std::to_string(warmup_ + runs_));
    }
    std::vector<NodeTime> nodes;
    options.profile = &nodes;
    if (auto status = one(options); !status) return status;
    auto limit = measure_limit(runtime);
    if (!limit) return limit.error();
    progress.clear();
    report_runs(common, times_ms, nodes, device_text(*runtime), *limit);
    return Status::success();
  }

  void report_runs(const Common& common, const std::vector<double>& times_ms,
                   const std::vector<NodeTime>& nodes, const std::string& device,
                   const DeviceLimit& limit) const {
    std::int64_t flops = 0;
    std::int64_t bytes = 0;
    for (const NodeTime& node : nodes) {
      flops += node.flops;
      bytes += node.bytes;
    }
    const double median_ms = quantile(times_ms, 0.5);
    const double p90_ms = quantile(times_ms, 0.9);
    const double share = limit.share(flops, bytes, median_ms);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("median_ms", median_ms).field("p90_ms", p90_ms);
      json.field("runs", runs_).field("flops", flops).field("bytes", bytes);
      json.field("limit_share", share).field("device", device).end_object();
      print_line(json.text());
      return;
    }
    if (profile_) print_profile(nodes);
    char line[280];
    std::snprintf(
        line, sizeof line,
        "median %.3f ms, p90 %.3f ms of %d runs on %s: %.2f GFLOP/s, %.2f GB/s\n"
        "%.0f%% of the limit: a MatMul reaches %.1f GFLOP/s here, a copy %.1f GB/s%s",
        median_ms, p90_ms, runs_, device.c_str(), static_cast<double>(flops) * 1e-6 / median_ms,
        static_cast<double>(bytes) * 1e-6 / median_ms, 100 * share, limit.flops_per_ms * 1e-6,
        limit.bytes_per_ms * 1e-6, share > 1 ? " (the model stays in the caches)" : "");
    print_line(line);
  }

  /// A prompt of `prompt` made-up tokens to be continued by `count`.
  static GenerateRequest request_of(const Batcher& batcher, std::int64_t prompt,
                                    std::int64_t count) {
    GenerateRequest request;
    for (std::int64_t i = 0; i < prompt; ++i) {
      request.prompt.push_back(static_cast<TokenId>((i * 7919 + 3) % batcher.model().vocabulary));
    }
    request.max_new_tokens = count;
    request.sampler.temperature = 0;
    return request;
  }

  Status check_depth(const Batcher& batcher, std::int64_t fresh) const {
    const std::int64_t context = batcher.model().context_tokens;
    if (depth_ + fresh <= context) return Status::success();
    return Error::invalid(
        "[bench] --depth, got " + std::to_string(depth_) + " and " + std::to_string(fresh) +
        " new tokens, wanted no more than the context of " + std::to_string(context));
  }

  /// Milliseconds of `count` new tokens after a prompt of `prompt` tokens; the prompt's own time in
  /// `prompt_ms`.
  static Result<double> time_generation(Batcher& batcher, std::int64_t prompt, std::int64_t count,
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

  Status run_llm(const Common& common) {
    auto generator = open_generator(common, options_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    const std::int64_t context = batcher.model().context_tokens;
    // A model trained for short texts is timed on what it can hold.
    const std::int64_t prompt = std::min(prompt_tokens_, context);
    const std::int64_t fresh = std::max<std::int64_t>(std::min(new_tokens_, context - depth_), 2);
    if (auto status = check_depth(batcher, fresh); !status) return status;
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    Progress progress(common);
    std::vector<double> prompt_rates;
    std::vector<double> rates;
    double prompt_ms = 0;
    double unused_ms = 0;
    for (int r = 0; r < warmup_ + runs_; ++r) {
      auto nothing = time_generation(batcher, prompt, 1, options, prompt_ms);
      if (!nothing) return nothing.error();
      auto new_ms = time_generation(batcher, depth_, fresh, options, unused_ms);
      if (!new_ms) return new_ms.error();
      progress.show("run", std::to_string(r + 1), std::to_string(warmup_ + runs_));
      if (r < warmup_) continue;
      prompt_rates.push_back(static_cast<double>(prompt) * 1000 / prompt_ms);
      rates.push_back(static_cast<double>(fresh - 1) * 1000 / *new_ms);
    }
    std::vector<NodeTime> nodes;
    options.profile = &nodes;
    if (profile_ && !common.json) {
      auto prompt_only = time_generation(batcher, prompt, 1, options, prompt_ms);
      if (!prompt_only) return prompt_only.error();
    }
    progress.clear();
    if (!nodes.empty()) print_profile(std::move(nodes));
    report_llm(common, prompt, fresh, quantile(prompt_rates, 0.5), quantile(rates, 0.5),
               device_text(*generator->runtime));
    return Status::success();
  }

  void report_llm(const Common& common, std::int64_t prompt, std::int64_t fresh, double prompt_rate,
                  double rate, const std::string& device) const {
    const std::string pp = "pp" + std::to_string(prompt);
    const std::string tg = "tg" + std::to_string(fresh);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("prompt_tokens", prompt).field("prompt_tokens_per_s", prompt_rate);
      json.field("tokens", fresh).field("tokens_per_s", rate).field("runs", runs_);
      json.field("device", device).end_object();
      print_line(json.text());
      return;
    }
    char line[160];
    std::snprintf(line, sizeof line, "%s %.1f tokens/s, %s %.1f tokens/s, median of %d runs on %s",
                  pp.c_str(), prompt_rate, tg.c_str(), rate, runs_, device.c_str());
    print_line(line);
  }

  GeneratorOptions options_;
  std::string function_;
  int runs_ = 10;
  int warmup_ = 2;
  std::int64_t prompt_tokens_ = 512;
  std::int64_t new_tokens_ = 128;
  std::int64_t depth_ = 1;
  bool llm_ = false;
  bool profile_ = false;
};

}  // namespace

extern const Command command_bench;
constinit const Command command_bench{
    "bench", "median and p90 time, FLOPs, bytes and the share of the device's limit",
    make_action<Bench>};

}  // namespace polaris::cli
