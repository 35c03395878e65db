#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "base/os/files.h"
#include "base/strings.h"
#include "command.h"
#include "interrupt.h"
#include "load/load.h"
#include "model_io.h"
#include "profile.h"
#include "session/session.h"
#include "wire/npy.h"

namespace polaris::cli {
namespace {

std::string file_name_of(const std::string& output) {
  std::string out = output;
  for (char& c : out) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return out + ".npy";
}

class Run final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", path_, "model file")->required();
    app.add_option("-i,--input", inputs_, "an input, NAME=FILE.npy")->allow_extra_args(false);
    app.add_option("-o,--output", folder_, "folder for the outputs, NAME.npy each");
    // A flag with a value: `--random-inputs MODEL` must not take the model for a seed.
    app.add_flag("--random-inputs{0}", seed_, "fill inputs not given, =SEED (default 0)");
    app.add_option("--function", function_, "function to run");
    app.add_flag("--profile", profile_, "a table of the nodes' times");
    app_ = &app;
  }

  Status run(const Common& common) override {
    random_ = app_->count("--random-inputs") > 0;
    if (random_ && !parse_u64(seed_)) {
      return Error::invalid("[cli] --random-inputs, got '" + seed_ + "', wanted a number");
    }
    auto opened = open_model(common, path_, {}, inputs_);
    if (!opened) return opened.error();
    auto graph = take_function(opened->model, function_);
    if (!graph) return graph.error();
    auto inputs = gather_inputs(*graph, common);
    if (!inputs) return inputs.error();
    const std::vector<std::string> names = graph->output_names();
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
  Result<std::vector<Tensor>> gather_inputs(const Graph& graph, const Common& common) const {
    std::map<std::string, Tensor, std::less<>> given;
    for (const std::string& text : inputs_) {
      const std::size_t at = text.find('=');
      if (at == std::string::npos) {
        return Error::invalid("[cli] --input, got '" + text + "', wanted NAME=FILE.npy");
      }
      const std::string name = text.substr(0, at);
      if (!graph.find_input(name)) {
        return Error::invalid("[cli] --input, got '" + name + "', wanted " + input_names(graph));
      }
      auto tensor = load_npy(text.substr(at + 1));
      if (!tensor) return tensor.error();
      given[name] = tensor.take();
    }
    auto types = concrete_inputs(graph, common, given);
    if (!types) return types.error();
    auto filled = random_inputs(*types, random_ ? parse_u64(seed_).value_or(0) : 0);
    if (!filled) return filled.error();
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      const std::string& name = graph.value(graph.inputs()[i]).name;
      const auto at = given.find(name);
      if (at != given.end()) {
        (*filled)[i] = at->second;
      } else if (!random_) {
        return Error::invalid("[cli] input '" + name + "' is missing, wanted --input " + name +
                              "=FILE.npy or --random-inputs");
      }
    }
    return filled;
  }

  static std::string input_names(const Graph& graph) {
    std::string out = "one of";
    for (ValueId id : graph.inputs()) out += " '" + graph.value(id).name + "'";
    return out;
  }

  Status write_outputs(const std::vector<std::string>& names, const std::vector<Tensor>& outputs,
                       double wall_ms, const std::string& device, const Common& common) const {
    if (!folder_.empty()) {
      if (auto status = make_folder(folder_); !status) return status;
    }
    JsonWriter json;
    json.begin_object().key("outputs").begin_array();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      std::string file;
      if (!folder_.empty()) {
        file = folder_ + "/" + file_name_of(names[o]);
        if (auto status = save_npy(file, outputs[o]); !status) return status;
      }
      json.begin_object().field("name", names[o]);
      json.field("dtype", dtype_name(outputs[o].dtype())).key("shape").begin_array();
      for (std::int64_t dim : outputs[o].shape()) json.value(dim);
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
  std::vector<std::string> inputs_;
  std::string folder_;
  std::string seed_;
  std::string function_;
  bool random_ = false;
  bool profile_ = false;
};

}  // namespace

extern const Command command_run;
constinit const Command command_run{
    "run", "any model on .npy inputs; writes DIR/NAME.npy per output", make_action<Run>};

}  // namespace polaris::cli
