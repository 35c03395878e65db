#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "base/os/output_file.h"
#include "command.h"
#include "gguf_convert.h"
#include "interrupt.h"
#include "ir/nested.h"
#include "load/load.h"
#include "lora_options.h"
#include "model_io.h"
#include "output.h"
#include "pass/runner.h"
#include "progress.h"
#include "safetensors_convert.h"
#include "save/onnx/onnx_writer.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kOpsetMax = 26;

class Convert final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", gguf_.model, "model of any format")->required();
    app.add_option("-o,--output", gguf_.output,
                   "file to write: NAME.onnx; NAME.gguf with --scheme is what `polaris quantize` "
                   "does; NAME.safetensors has the weights alone")
        ->required();
    passes_option_ =
        app.add_option("--passes", passes_,
                       "that go over the graph before: none, default (those of no one device), a,b "
                       "(these), -a,-b (default without these)")
            ->capture_default_str();
    opset_option_ = app.add_option("--opset", opset_,
                                   "op-set of the ONNX file; else the first, from 21 on, that has "
                                   "all that the graph needs")
                        ->check(CLI::Range(std::int64_t{21}, kOpsetMax));
    external_option_ =
        app.add_flag("--external-data", external_,
                     "weights in a second file, NAME.onnx.data; done anyway beyond 2 GB");
    function_option_ = app.add_option("--function", function_, "function to write");
    scheme_option_ = declare_gguf_options(app, gguf_, "of a GGUF file: ");
    declare_lora(app, gguf_.loras);
  }

  Status run(const Common& common) override {
    const bool gguf = gguf_.output.ends_with(".gguf");
    const bool safetensors = gguf_.output.ends_with(".safetensors");
    if (!gguf && !safetensors && !gguf_.output.ends_with(".onnx")) {
      return common.usage_error("--output, got '" + gguf_.output +
                                "', wanted a name that ends in .onnx, .gguf or .safetensors");
    }
    if (gguf || safetensors) {
      for (const CLI::Option* option :
           {passes_option_, opset_option_, external_option_, function_option_}) {
        if (option->count() > 0) {
          return common.usage_error(option->get_name() + ", wanted with an output of .onnx alone");
        }
      }
    }
    if (gguf) {
      // Merged matrices are stored as they were where nothing else is asked for.
      if (gguf_.scheme.empty() && !gguf_.loras.empty()) gguf_.scheme = "copy";
      return convert_gguf(common, gguf_);
    }
    if (!gguf_.loras.empty()) {
      return common.usage_error("--lora, wanted with an output of .gguf alone");
    }
    if (scheme_option_->count() > 0 || gguf_.allow_requantize) {
      return common.usage_error("--scheme, wanted with an output of .gguf alone");
    }
    if (safetensors) return convert_safetensors(common, gguf_.model, gguf_.output);
    auto status = write(common);
    return status ? status : Status(status.error().with_context("'" + gguf_.model + "'"));
  }

 private:
  Status write(const Common& common) {
    const std::int64_t start = monotonic_ns();
    const auto passes = select_passes(passes_);
    if (!passes) return common.usage_error("--passes: " + passes.error().message());
    auto opened = open_model(common, gguf_.model);
    if (!opened) return opened.error();
    if (Status s = check_target(*opened); !s) return s;
    auto graph = take_function(opened->model, function_);
    if (!graph) return graph.error();
    const OpSet& ops = opened->runtime->ops();
    const auto ran = run_passes(*graph, *passes, Target{}, ops);
    if (!ran) return ran.error();

    CancelOnInterrupt interrupt;
    Progress progress(common);
    OnnxWriteOptions options;
    options.external_data = external_;
    options.opset = opset_;
    options.version = POLARIS_VERSION;
    options.stop = [&] { return interrupt.interrupted(); };
    options.progress = [&](std::int64_t done, std::int64_t all) {
      progress.show("written", bytes_text(done), bytes_text(all));
    };
    const auto report = write_onnx(*graph, opened->model.metadata, ops, gguf_.output, options);
    progress.clear();
    if (!report) return report.error();
    if (!common.quiet) {
      for (const std::string& note : report->notes) common.logger().warning("[onnx] " + note);
    }
    print_report(common, *report, elapsed_ms(start));
    return Status::success();
  }

  /// The files that the model is read from stay as they are.
  Status check_target(const Opened& opened) const {
    for (const std::string& path : {gguf_.output, gguf_.output + ".data"}) {
      const auto target = identity_of(path);
      if (!target) continue;
      bool own = target == identity_of(gguf_.model);
      for (const auto& [name, root] : opened.model.functions) {
        for (const Graph* graph : graphs_within(root)) {
          for (const ValueId id : graph->value_ids()) {
            const auto& constant = graph->value(id).constant;
            if (!constant || !constant->file) continue;
            own = own || identity_of(*constant->file) == target;
          }
        }
      }
      if (own) {
        return Error::invalid("[convert] '" + path +
                              "' is a file of the model itself, wanted another");
      }
    }
    return Status::success();
  }

  void print_report(const Common& common, const OnnxWriteReport& report, double ms) const {
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("file", gguf_.output).field("format", "onnx");
      json.field("opset", report.opset).field("nodes", report.nodes);
      json.field("functions", report.functions).field("bytes", report.bytes);
      json.field("external_file", report.external_file);
      json.field("external_bytes", report.external_bytes);
      json.key("notes").begin_array();
      for (const std::string& note : report.notes) json.value(note);
      json.end_array().field("wall_ms", ms).end_object();
      print_line(json.text());
      return;
    }
    char line[256];
    std::snprintf(line, sizeof line, "op-set %lld, %lld nodes, %s in %.1f s",
                  static_cast<long long>(report.opset), static_cast<long long>(report.nodes),
                  bytes_text(report.bytes + report.external_bytes).c_str(), ms / 1000);
    if (!common.quiet) print_line(gguf_.output + ": " + line);
  }

  GgufConversion gguf_;
  std::string passes_ = "none";
  std::int64_t opset_ = 0;
  bool external_ = false;
  std::string function_;
  CLI::Option* passes_option_ = nullptr;
  CLI::Option* opset_option_ = nullptr;
  CLI::Option* external_option_ = nullptr;
  CLI::Option* function_option_ = nullptr;
  CLI::Option* scheme_option_ = nullptr;
};

}  // namespace

extern const Command command_convert;
constinit const Command command_convert{
    "convert", "write a model in another format: ONNX, GGUF, safetensors", make_action<Convert>};

}  // namespace polaris::cli
