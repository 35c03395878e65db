#include "input_files.h"

#include <CLI/CLI.hpp>
#include <map>
#include <utility>

#include "base/os/files.h"
#include "model_io.h"
#include "wire/json_tensor.h"
#include "wire/npy.h"

namespace polaris::cli {
namespace {

struct InputFile {
  std::string name;
  std::string path;
};

std::string input_names(const Graph& graph) {
  std::string out = "one of";
  for (ValueId id : graph.inputs()) out += " '" + graph.value(id).name + "'";
  return out;
}

/// Every `=` may be the one between name and file: the longest name that the model has, and of
/// several the longest whose file is there.
Result<InputFile> cut(const Graph& graph, const std::string& text) {
  const std::size_t first = text.find('=');
  if (first == std::string::npos) {
    return Error::invalid("[cli] --input, got '" + text +
                          "', wanted NAME=FILE.npy or NAME=FILE.json");
  }
  InputFile best;
  for (std::size_t at = text.rfind('='); at != std::string::npos && at >= first;
       at = at == 0 ? std::string::npos : text.rfind('=', at - 1)) {
    InputFile candidate{text.substr(0, at), text.substr(at + 1)};
    if (!graph.find_input(candidate.name)) continue;
    const bool there = path_kind(candidate.path) == PathKind::kFile;
    if (best.name.empty() || there) best = std::move(candidate);
    if (there) break;
  }
  if (best.name.empty()) {
    return Error::invalid("[cli] --input, got '" + text.substr(0, first) + "', wanted " +
                          input_names(graph));
  }
  return best;
}

Result<std::map<std::string, Tensor, std::less<>>> load_files(const Graph& graph,
                                                              const Common& common,
                                                              const InputOptions& options) {
  std::map<std::string, Tensor, std::less<>> out;
  for (const std::string& text : options.files) {
    auto file = cut(graph, text);
    if (!file) return file.error();
    if (out.contains(file->name)) {
      return common.usage_error("--input, got '" + file->name + "' twice, wanted each input once");
    }
    const ValueId input = *graph.find_input(file->name);
    const DType dtype = graph.value(input).type.dtype;
    auto tensor = file->path.ends_with(".json") ? load_json_tensor(file->path, dtype)
                                                : load_npy(file->path, dtype);
    if (!tensor) return tensor.error();
    out.emplace(file->name, tensor.take());
  }
  return out;
}

}  // namespace

void declare_input_files(CLI::App& app, InputOptions& options) {
  app.add_option("-i,--input", options.files, "an input, NAME=FILE.npy or NAME=FILE.json")
      ->allow_extra_args(false);
}

Result<std::vector<Tensor>> gather_inputs(const Graph& graph, const Common& common,
                                          const InputOptions& options) {
  auto given = load_files(graph, common, options);
  if (!given) return given.error();
  auto types = concrete_inputs(graph, common, *given);
  if (!types) return types.error();
  for (std::size_t i = 0; i < types->size(); ++i) {
    const std::string& name = graph.value(graph.inputs()[i]).name;
    if (given->contains(name)) continue;
    if (!options.random) {
      std::string message = "[cli] input '" + name;
      message.append("' is missing, wanted --input ").append(name);
      return Error::invalid(message + "=FILE.npy or --random-inputs");
    }
  }
  auto filled = random_inputs(graph, *types, options.seed);
  if (!filled) return filled.error();
  for (std::size_t i = 0; i < types->size(); ++i) {
    const auto at = given->find(graph.value(graph.inputs()[i]).name);
    if (at != given->end()) (*filled)[i] = at->second;
  }
  return filled;
}

}  // namespace polaris::cli
