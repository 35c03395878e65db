#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "backend/tuning_file.h"
#include "bench_llm.h"
#include "command.h"
#include "generator.h"
#include "input_files.h"
#include "interrupt.h"
#include "load/load.h"
#include "model_io.h"
#include "number_option.h"
#include "output.h"
#include "progress.h"
#include "session/session.h"
#include "session/tune.h"

namespace polaris::cli {
namespace {

class Tune final : public Action {
 public:
  void declare(CLI::App& app) override {
    declare_generator(app, generator_);
    declare_input_files(app, inputs_);
    app.add_option("--function", function_, "function to run");
    add_number(app, "--runs", runs_, {3, kRunsMax}, "profiled runs of each trial");
    add_number(app, "--prompt-tokens", prompt_tokens_, {1, INT32_MAX}, "of a language model");
  }

  Status run(const Common& common) override {
    const std::string folder = tuning_folder(common.device_options());
    if (folder.empty()) {
      return Error::invalid("[tune] a folder of caches, got none, wanted XDG_CACHE_HOME or HOME");
    }
    {
      auto opened = open_model(common, generator_.model,
                               arch_options(generation_options(generator_)), inputs_.files);
      if (!opened) return opened.error();
      auto graph = take_function(opened->model, function_);
      if (!graph) return graph.error().with_context("'" + generator_.model + "'");
      const auto& states = graph->states();
      const bool language = std::any_of(states.begin(), states.end(),
                                        [](const StateUse& use) { return use.state->paged; });
      if (!language) return tune_model(common, *opened, graph.take(), folder);
    }
    if (inputs_.files.empty()) return tune_language(common, folder);
    return common.usage_error("--input, got '" + inputs_.files.front() + "', but '" +
                              generator_.model +
                              "' is measured as a language model on made up tokens, wanted none");
  }

 private:
  static constexpr std::int32_t kRunsMax = 1000;

  Status tune_model(const Common& common, Opened& opened, Graph graph, const std::string& folder) {
    inputs_.random = true;
    auto inputs = gather_inputs(graph, common, inputs_);
    if (!inputs) return inputs.error();
    auto program = Program::compile(opened.runtime, std::move(graph), opened.options);
    if (!program) return program.error();
    auto session = Session::create(*program);
    if (!session) return session.error();
    std::vector<Tensor> outputs;
    return measure(common, folder, **program,
                   [&](const RunOptions& run) { return (*session)->run(*inputs, outputs, run); });
  }

  /// A prompt of the tokens that --prompt-tokens says, then two tokens after it.
  Status tune_language(const Common& common, const std::string& folder) {
    auto generator = open_generator(common, generator_);
    if (!generator) return generator.error();
    Batcher& batcher = *generator->batcher;
    const std::int64_t depth = std::min(prompt_tokens_, batcher.model().context_tokens - 2);
    return measure(common, folder, *batcher.model().program, [&](const RunOptions& run) -> Status {
      if (auto status = start_decoding(batcher, depth, 2, run); !status) {
        return status;
      }
      while (!batcher.idle()) {
        auto events = batcher.step(run);
        if (!events) return events.error();
      }
      return Status::success();
    });
  }

  Status measure(const Common& common, const std::string& folder, Program& program,
                 TunedRun run) const {
    Runtime& runtime = program.runtime();
    std::vector<Tuning> known;
    for (Device* device : runtime.devices()) {
      // What is of no use was said when the device was opened.
      auto loaded = load_tuning(tuning_path(folder, device->info()), device->info());
      known.push_back(loaded ? loaded.take() : Tuning());
    }
    CancelOnInterrupt interrupt;
    Progress progress(common);
    TuneOptions options;
    options.runs = runs_;
    options.cancel = interrupt.token();
    options.progress = [&](std::size_t done, std::size_t all) {
      progress.show("trial", std::to_string(done), std::to_string(all));
    };
    const auto report = tune(
        runtime, [&] { program.drop_plans(); }, run, known, options);
    if (!report) return report.error();
    progress.clear();
    std::vector<std::string> files;
    for (std::size_t d = 0; d < known.size(); ++d) {
      const DeviceInfo& info = runtime.devices()[d]->info();
      if (info.tuning_device.empty()) continue;
      files.push_back(tuning_path(folder, info));
      if (auto saved = save_tuning(files.back(), info, known[d]); !saved) return saved;
    }
    print(common, *report, files, device_text(runtime));
    return Status::success();
  }

  static std::size_t changed(const TuneReport& report) {
    return static_cast<std::size_t>(
        std::count_if(report.nodes.begin(), report.nodes.end(),
                      [](const TunedNode& node) { return node.fastest != node.usual; }));
  }

  void print(const Common& common, const TuneReport& report, const std::vector<std::string>& files,
             const std::string& device) const {
    if (common.json) {
      print_json(report, files, device);
      return;
    }
    char line[300];
    for (const TunedNode& node : report.nodes) {
      if (node.fastest == node.usual) continue;
      std::snprintf(line, sizeof line, "%-20.20s %-24.24s %10.1f -> %10.1f us  %s, was %s",
                    node.op.c_str(), node.node.c_str(), node.usual_us, node.fastest_us,
                    node.fastest.c_str(), node.usual.c_str());
      print_line(line);
    }
    std::snprintf(
        line, sizeof line,
        "%zu kinds of nodes with a choice, %zu faster otherwise, %zu trials (%zu failed); "
        "whole runs %.3f ms, tuned %.3f ms on %s: %s",
        report.nodes.size(), changed(report), report.trials, report.failed, report.usual_ms,
        report.tuned_ms, device.c_str(), report.kept ? "kept" : "nothing kept");
    print_line(line);
    for (const std::string& file : files) print_line("in " + file);
  }

  static void print_json(const TuneReport& report, const std::vector<std::string>& files,
                         const std::string& device) {
    JsonWriter json;
    json.begin_object().key("nodes").begin_array();
    for (const TunedNode& node : report.nodes) {
      json.begin_object().field("node", node.node).field("op", node.op);
      json.field("device", node.device).field("usual", node.usual);
      json.field("fastest", node.fastest).field("usual_us", node.usual_us);
      json.field("fastest_us", node.fastest_us).end_object();
    }
    json.end_array().field("choices", static_cast<std::int64_t>(report.nodes.size()));
    json.field("changed", static_cast<std::int64_t>(changed(report)));
    json.field("trials", static_cast<std::int64_t>(report.trials));
    json.field("failed", static_cast<std::int64_t>(report.failed));
    json.field("usual_ms", report.usual_ms).field("tuned_ms", report.tuned_ms);
    json.field("kept", report.kept).key("files").begin_array();
    for (const std::string& file : files) json.value(file);
    json.end_array().field("device", device).end_object();
    print_line(json.text());
  }

  GeneratorOptions generator_;
  std::int64_t prompt_tokens_ = 512;
  InputOptions inputs_;
  std::string function_;
  std::int32_t runs_ = 5;
};

}  // namespace

extern const Command command_tune;
constinit const Command command_tune{
    "tune", "measures which kernels are the fastest on this device for a model's nodes",
    make_action<Tune>};

}  // namespace polaris::cli
