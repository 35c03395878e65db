#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "base/os/files.h"
#include "base/strings.h"
#include "command.h"
#include "input_files.h"
#include "interrupt.h"
#include "load/load.h"
#include "model_io.h"
#include "output_files.h"
#include "profile.h"
#include "session/session.h"
#include "wire/value_file.h"

namespace polaris::cli {
namespace {

class Run final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", path_, "model file")->required();
    declare_input_files(app, inputs_);
    app.add_option(
        "-o,--output", folder_,
        "folder for the outputs, NAME.npy each, NAME.npz of a sequence; --json tells which "
        "is which");
    app.add_option("--output-format", format_, "of the files in the folder: npy, npz or json")
        ->check(CLI::IsMember({"npy", "npz", "json"}));
    // A flag with a value: `--random-inputs MODEL` must not take the model for a seed.
    app.add_flag("--random-inputs{0}", seed_, "fill inputs not given, =SEED (default 0)");
    app.add_option("--function", function_, "function to run");
    app.add_flag("--profile", profile_, "a table of the nodes' times");
    app_ = &app;
  }

  Status run(const Common& common) override {
    inputs_.random = app_->count("--random-inputs") > 0;
    const auto seed = inputs_.random ? parse_u64(seed_) : 0;
    if (!seed) {
      return common.usage_error("--random-inputs, got '" + printable(seed_, 64) +
                                "', wanted a whole number, 0 or more");
    }
    inputs_.seed = *seed;
    auto opened = open_model(common, path_, {}, inputs_.files);
    if (!opened) return opened.error();
    auto graph = take_function(opened->model, function_);
    if (!graph) return graph.error().with_context("'" + path_ + "'");
    auto inputs = gather_inputs(*graph, common, inputs_);
    if (!inputs) return inputs.error();
    const std::vector<std::string> names = graph->output_names();
    if (!folder_.empty()) {
      if (auto status = make_folder(folder_); !status) return status;
    }
    auto program = Program::compile(opened->runtime, graph.take(), opened->options);
    if (!program) return program.error();
    auto session = Session::create(program.take());
    if (!session) return session.error();
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    std::vector<NodeTime> times;
    if (profile_) options.profile = &times;
    std::vector<Tensor> outputs;
    const std::int64_t start = monotonic_ns();
    if (auto status = (*session)->run(*inputs, outputs, options); !status) {
      return status.error().with_context("'" + path_ + "'");
    }
    const double wall_ms = elapsed_ms(start);
    if (profile_ && !common.json) print_profile(times);
    return write_outputs(names, outputs, wall_ms, device_text(*opened->runtime), common);
  }

 private:
  Status write_outputs(const std::vector<std::string>& names, const std::vector<Tensor>& outputs,
                       double wall_ms, const std::string& device, const Common& common) const {
    const std::vector<std::string> files = output_files(names);
    JsonWriter json;
    json.begin_object().key("outputs").begin_array();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      std::string file;
      if (!folder_.empty()) {
        // An .npy file holds a tensor alone.
        const bool archive = format_ == "npy" && !outputs[o].type().is_tensor();
        file = folder_ + "/" + files[o] + "." + (archive ? "npz" : format_);
        const auto status = save_value(file, value_format_of(file), outputs[o]);
        if (!status) return status;
      }
      json.begin_object().field("name", names[o]);
      write_kind(json, outputs[o].type().kind);
      json.field("dtype", dtype_name(outputs[o].dtype())).key("shape").begin_array();
      for (std::int64_t dim : outputs[o].shape()) {
        if (is_static_dim(dim)) {
          json.value(dim);
        } else {
          json.null();  // of several tensors that differ in it
        }
      }
      json.end_array().field("file", file).end_object();
      if (common.json || common.quiet) continue;
      print_line(names[o] + ": " + outputs[o].type().to_string() +
                 (file.empty() ? "" : " -> " + file));
    }
    json.end_array().field("wall_ms", wall_ms).field("device", device).end_object();
    if (common.json) {
      print_line(json.text());
    } else if (!common.quiet) {
      char text[64];
      std::snprintf(text, sizeof text, "%.3f ms on ", wall_ms);
      print_line(text + device);
    }
    return Status::success();
  }

  CLI::App* app_ = nullptr;
  std::string path_;
  InputOptions inputs_;
  std::string folder_;
  std::string format_ = "npy";
  std::string seed_;
  std::string function_;
  bool profile_ = false;
};

}  // namespace

extern const Command command_run;
constinit const Command command_run{
    "run", "any model on .npy, .npz or .json inputs; writes DIR/NAME.npy per output",
    make_action<Run>};

}  // namespace polaris::cli
