#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "bench_llm.h"
#include "bench_service.h"
#include "bench_timing.h"
#include "command.h"
#include "device_limit.h"
#include "generator.h"
#include "input_files.h"
#include "interrupt.h"
#include "load/load.h"
#include "lora_options.h"
#include "model_io.h"
#include "number_option.h"
#include "pass/runner.h"
#include "plan/memory.h"
#include "profile.h"
#include "session/plan_ahead.h"
#include "session/session.h"
#include "speculation_flags.h"

namespace polaris::cli {
namespace {

class Bench final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, options_);
    declare_lora(app, options_.loras);
    declare_speculation(app, options_);
    declare_input_files(app, inputs_);
    app.add_option("--function", function_, "function to run");
    add_number(app, "--runs", llm_.runs.timed, {1, kRunsMax}, "timed runs");
    add_number(app, "--warmup", llm_.runs.warmup, {0, kRunsMax}, "runs before them");
    passes_option_ = app.add_option(
        "--passes", passes_, "default, none, a,b (just these) or -a,-b (the default ones without)");
    auto* llm =
        app.add_flag("--llm", is_llm_, "tokens per second: pp512 (prompt) and tg128 (generation)");
    add_number(app, "--prompt-tokens", llm_.prompt_tokens, {1, kTokensMax}, "of pp, with --llm");
    add_number(app, "--tokens", llm_.new_tokens, {2, kTokensMax},
               "of tg, with --llm; of each text, with --service");
    add_number(app, "--depth", llm_.depth, {1, kTokensMax}, "tokens in the cache before tg");
    auto* service = app.add_flag(
        "--service", is_service_,
        "many texts at once: gaps between tokens, times to first tokens, tokens computed");
    service->excludes(llm);
    add_number(app, "--sequences", service_.sequences, {1, kSequencesMax}, "of --service");
    add_number(app, "--cache-sequences", service_.cache_sequences, {0, kSequencesMax},
               "of the whole context that the cache holds, 0 for half of --sequences and one, with "
               "--service");
    add_number(app, "--step-budget", service_.step_budget_ms, {0, 1e6, true},
               "milliseconds of a step with prompts in it, with --service");
    app.add_flag("--profile", llm_.profile,
                 "a table of the nodes' times; with --llm of a prompt and of one token");
  }

  Status run(const Common& common) override {
    if ((is_llm_ || is_service_) && !inputs_.files.empty()) return refuse_inputs(common);
    if (passes_option_->count() > 0 && (is_llm_ || is_service_)) {
      return common.usage_error("--passes, wanted with a model that is timed by whole runs");
    }
    if (is_service_) {
      service_.new_tokens = llm_.new_tokens;
      return bench_service(common, options_, service_);
    }
    if (is_llm_) return bench_llm(common, options_, llm_);
    if (has_speculation(options_)) {
      return common.usage_error("--draft and --lookup go with --llm or --service");
    }
    {
      auto opened = open_model(common, options_.model, arch_options(generation_options(options_)),
                               inputs_.files);
      if (!opened) return opened.error();
      auto graph = take_function(opened->model, function_);
      if (!graph) return graph.error().with_context("'" + options_.model + "'");
      const auto& states = graph->states();
      const bool language = std::any_of(states.begin(), states.end(),
                                        [](const StateUse& use) { return use.state->paged; });
      if (!language) {
        if (auto status = choose_passes(common, opened->options); !status) return status;
        return run_model(common, *opened, graph.take());
      }
      if (passes_option_->count() > 0) {
        return common.usage_error("--passes, got a language model, whose passes are always run");
      }
      if (!inputs_.files.empty()) return refuse_inputs(common);
    }
    return run_decode(common);
  }

 private:
  static constexpr std::int32_t kRunsMax = 1'000'000;
  static constexpr std::int64_t kTokensMax = INT32_MAX;
  static constexpr std::int64_t kSequencesMax = 4096;

  Error refuse_inputs(const Common& common) const {
    return common.usage_error("--input, got '" + inputs_.files.front() + "', but '" +
                              options_.model +
                              "' is timed as a language model on made up tokens, "
                              "wanted --prompt-tokens, --tokens or --depth");
  }

  Status choose_passes(const Common& common, ProgramOptions& options) const {
    const auto chosen = select_passes(passes_);
    if (!chosen) return common.usage_error("--passes: " + chosen.error().message());
    options.run_passes = !chosen->empty();
    for (const Pass* pass : default_passes()) {
      if (std::find(chosen->begin(), chosen->end(), pass) == chosen->end()) {
        options.disabled_passes.emplace_back(pass->name);
      }
    }
    return Status::success();
  }

  Status run_model(const Common& common, Opened& opened, Graph graph) {
    inputs_.random = true;
    auto inputs = gather_inputs(graph, common, inputs_);
    if (!inputs) return inputs.error();
    const auto memory = plan_memory_of(*opened.runtime, graph, *inputs, opened.options);
    if (!memory) return memory.error();
    auto program = Program::compile(opened.runtime, std::move(graph), opened.options);
    if (!program) return program.error();
    auto session = Session::create(*program);
    if (!session) return session.error();
    std::vector<Tensor> outputs;
    return time_and_report(common, opened.runtime, &*memory, [&](const RunOptions& options) {
      return (*session)->run(*inputs, outputs, options);
    });
  }

  /// A language model without --llm: one new token behind --depth tokens is a run.
  Status run_decode(const Common& common) {
    auto generator = open_generator(common, options_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    // The runs, those that are profiled, and one that starts.
    const std::int64_t steps = std::int64_t{llm_.runs.warmup} + 2 * llm_.runs.timed + 2;
    {
      CancelOnInterrupt interrupt;
      RunOptions options;
      options.cancel = interrupt.token();
      if (auto status = start_decoding(batcher, llm_.depth, steps, options); !status) {
        return status;
      }
    }
    return time_and_report(common, generator->runtime, nullptr,
                           [&](const RunOptions& options) -> Status {
                             auto events = batcher.step(options);
                             return events ? Status::success() : Status(events.error());
                           });
  }

  /// What a model's first stage is planned to be, which is mostly the whole.
  struct Planned {
    std::int64_t nodes = 0;
    std::int64_t weight_bytes = 0;
    std::int64_t arena_bytes = 0;  // which values share over time
    std::int64_t live_bytes = 0;   // alive in one step, at most: no arena is smaller
  };

  static Result<Planned> plan_memory_of(Runtime& runtime, const Graph& graph,
                                        const std::vector<Tensor>& inputs,
                                        const ProgramOptions& options) {
    std::vector<TensorType> types;
    for (const Tensor& input : inputs) types.push_back(input.type());
    const auto planned = plan_ahead(runtime, graph, types, 0, options);
    if (!planned) return planned.error();
    const Stage& stage = planned->stage;
    Planned out{static_cast<std::int64_t>(planned->graph.order().size())};
    for (const WeightUse& weight : stage.weights) out.weight_bytes += weight.bytes;
    for (DeviceIndex d = 0; d < runtime.device_count(); ++d) {
      const auto& slabs = stage.slab_bytes[static_cast<std::size_t>(d)];
      out.arena_bytes += std::accumulate(slabs.begin(), slabs.end(), std::int64_t{0});
      out.live_bytes += live_bytes_max(stage.storages, d);
    }
    return out;
  }

  /// `planned`: of runs of a model.
  Status time_and_report(const Common& common, const std::shared_ptr<Runtime>& runtime,
                         const Planned* planned, OneRun one) const {
    const auto timing = time_runs(common, llm_.runs, one);
    if (!timing) return timing.error();
    const auto limit = measure_limit(runtime);
    if (!limit) return limit.error();
    report(common, *timing, device_text(*runtime), planned, *limit);
    return Status::success();
  }

  void report(const Common& common, const Timing& timing, const std::string& device,
              const Planned* planned, const DeviceLimit& limit) const {
    const KernelTotals kernels = totals_of(timing.nodes);
    const double median_ms = quantile(timing.times_ms, 0.5);
    const double p90_ms = quantile(timing.times_ms, 0.9);
    // Profiled launches wait for each other, so their sum may be more than a run takes.
    const double outside_ms = std::max(median_ms - kernels.ms, 0.0);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("median_ms", median_ms).field("p90_ms", p90_ms);
      json.field("runs", llm_.runs.timed).field("kernel_ms", kernels.ms);
      json.field("outside_ms", outside_ms).field("flops", kernels.flops);
      json.field("bytes", kernels.bytes).field("cpu_ms", quantile(timing.cpu_ms, 0.5));
      json.field("launches", static_cast<std::int64_t>(timing.nodes.size()));
      if (planned != nullptr) {
        json.field("nodes", planned->nodes).field("weight_bytes", planned->weight_bytes);
        json.field("arena_bytes", planned->arena_bytes).field("live_bytes", planned->live_bytes);
      }
      write_shares(json, "", kernels, limit);
      limit.write(json);
      if (llm_.profile) write_profile(json.key("profile"), timing.nodes);
      json.field("device", device).end_object();
      print_line(json.text());
      return;
    }
    if (llm_.profile) print_profile(timing.nodes);
    char line[200];
    std::snprintf(line, sizeof line,
                  "median %.3f ms, p90 %.3f ms of %d runs on %s; %.3f ms of it outside of kernels: "
                  "inputs, outputs, starts",
                  median_ms, p90_ms, llm_.runs.timed, device.c_str(), outside_ms);
    print_line(line);
    print_line(kernels_text(kernels, limit));
    print_line("device: " + limit.text());
  }

  GeneratorOptions options_;
  InputOptions inputs_;
  std::string function_;
  std::string passes_ = "default";
  CLI::Option* passes_option_ = nullptr;
  LlmBench llm_;
  bool is_llm_ = false;
  ServiceBench service_;
  bool is_service_ = false;
};

}  // namespace

extern const Command command_bench;
constinit const Command command_bench{
    "bench", "median and p90 time, FLOPs, bytes and the share of the device's limits",
    make_action<Bench>};

}  // namespace polaris::cli
