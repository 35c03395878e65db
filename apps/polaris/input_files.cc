#include "input_files.h"

#include <CLI/CLI.hpp>
#include <map>
#include <utility>

#include "base/os/files.h"
#include "base/strings.h"
#include "model_io.h"
#include "wire/value_file.h"

namespace polaris::cli {
namespace {

struct InputFile {
  std::string name;  // "": an .npz file of several inputs
  std::string path;
};

bool is_archive(const std::string& path) {
  return value_format_of(path) == ValueFormat::kNpz && path_kind(path) == PathKind::kFile;
}

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
    if (is_archive(text)) return InputFile{"", text};
    return Error::invalid("[cli] --input, got '" + text +
                          "', wanted NAME=FILE of .npy, .npz or .json, or FILE.npz");
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
  if (best.name.empty() && is_archive(text)) return InputFile{"", text};
  if (best.name.empty()) {
    return Error::invalid("[cli] --input, got '" + text.substr(0, first) + "', wanted " +
                          input_names(graph));
  }
  return best;
}

using Given = std::map<std::string, Tensor, std::less<>>;

Status add(const Common& common, Given& out, const std::string& name, Result<Tensor> value) {
  if (!value) return value.error();
  if (out.emplace(name, value.take()).second) return Status::success();
  return common.usage_error("--input, got '" + name + "' twice, wanted each input once");
}

/// Each array is the input of its name.
Status load_archive(const Graph& graph, const Common& common, const std::string& path, Given& out) {
  std::map<std::string_view, DType> tensors;
  for (ValueId input : graph.inputs()) {
    const Value& value = graph.value(input);
    if (value.type.is_tensor()) tensors.emplace(value.name, value.type.dtype);
  }
  auto arrays = load_npz(path, [&](const std::string& name) -> Result<DType> {
    const auto tensor = tensors.find(name);
    if (tensor != tensors.end()) return tensor->second;
    return Error::invalid("[cli] --input, got the array '" + printable(name) + "', wanted " +
                          input_names(graph) + " that are tensors");
  });
  if (!arrays) return arrays.error();
  for (auto& [name, value] : *arrays) {
    if (auto s = add(common, out, name, std::move(value)); !s) return s;
  }
  return Status::success();
}

Result<Given> load_files(const Graph& graph, const Common& common, const InputOptions& options) {
  Given out;
  for (const std::string& text : options.files) {
    auto file = cut(graph, text);
    if (!file) return file.error();
    if (file->name.empty()) {
      if (auto s = load_archive(graph, common, file->path, out); !s) return s.error();
      continue;
    }
    const TensorType& type = graph.value(*graph.find_input(file->name)).type;
    auto value = out.contains(file->name) ? Result<Tensor>(Tensor()) : load_value(file->path, type);
    if (auto s = add(common, out, file->name, std::move(value)); !s) return s.error();
  }
  return out;
}

}  // namespace

void declare_input_files(CLI::App& app, InputOptions& options) {
  app.add_option("-i,--input", options.files,
                 "an input, NAME=FILE.npy, .npz or .json, or several, FILE.npz")
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
    const bool fills = options.random && !is_host_only((*types)[i]);
    if (!fills) {
      std::string message = "[cli] input '" + name;
      message.append("' is missing, wanted --input ").append(name);
      const bool tensor = (*types)[i].is_tensor();
      return Error::invalid(
          message + (tensor ? "=FILE.npy" : "=FILE.npz") +
          (options.random ? ", as only numbers can be random" : " or --random-inputs"));
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
