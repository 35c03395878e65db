#include "model_io.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "load/source.h"
#include "pipeline/language_model.h"
#include "pipeline/tokenizer_beside.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "plugin/plugin.h"
#include "progress.h"
#include "session/symbol_binding.h"
#include "tensor/element.h"
#include "wire/value_file.h"

namespace polaris::cli {

namespace {

/// Adds the ops of every --plugin to the runtime's, and gives their passes.
Result<std::vector<UserPass>> load_plugins(const Common& common, Runtime& runtime) {
  std::vector<UserPass> passes;
  OpSet ops = runtime.ops();
  for (const std::string& path : common.plugins) {
    auto plugin = load_plugin(path, ops);
    if (!plugin) return plugin.error();
    for (PluginPass& pass : plugin->passes) {
      passes.push_back({std::move(pass.name), std::move(pass.text)});
    }
  }
  runtime.set_ops(std::move(ops));
  return passes;
}

/// What may be the name in NAME=FILE: names and files may hold `=` too.
void add_names(const std::string& text, std::set<std::string, std::less<>>& names) {
  for (std::size_t at = text.find('='); at != text.npos; at = text.find('=', at + 1)) {
    names.insert(text.substr(0, at));
  }
  // Of several inputs; one that cannot be read is told of when it is.
  if (value_format_of(text) != ValueFormat::kNpz || path_kind(text) != PathKind::kFile) return;
  if (const auto arrays = list_npz(text)) names.insert(arrays->begin(), arrays->end());
}

}  // namespace

Result<Opened> open_model(const Common& common, const std::string& path, const ArchOptions& arch,
                          const std::vector<std::string>& given) {
  const DeviceOptions devices = common.device_options();
  if (!common.shares.empty() && common.shares.size() != devices.devices.size()) {
    return common.usage_error("--shares, got " + std::to_string(common.shares.size()) +
                              " numbers, wanted one for each device of --device");
  }
  auto runtime = open_runtime(devices);
  if (!runtime) return runtime.error();
  return open_model_on(runtime.take(), common, path, arch, given);
}

Result<Opened> open_model_on(std::shared_ptr<Runtime> runtime, const Common& common,
                             const std::string& path, const ArchOptions& arch,
                             const std::vector<std::string>& given) {
  auto passes = load_plugins(common, *runtime);
  if (!passes) return passes.error();
  LoadOptions options;
  options.arch = arch;
  options.log = common.logger();
  for (const std::string& text : given) add_names(text, options.given);
  auto model = load_model(path, runtime->ops(), options);
  if (!model) return model.error();
  if (arch.generate || arch.embed) {
    if (auto status = read_tokenizer_beside(path, *model); !status) return status.error();
  }
  Opened out{std::move(runtime), model.take(), {}};
  out.options.shares = common.shares;
  out.options.user_passes = passes.take();
  out.options.progress = [line = std::make_shared<Progress>(common)](std::int64_t done,
                                                                     std::int64_t all) {
    line->show("weights", bytes_text(done), bytes_text(all));
    if (done == all) line->clear();
  };
  return out;
}

std::optional<std::pair<std::string, std::int64_t>> split_dim(const std::string& text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0) return std::nullopt;
  const auto size = parse_i64(std::string_view(text).substr(at + 1));
  if (!size || *size < 0) return std::nullopt;
  return std::pair(text.substr(0, at), *size);
}

Result<std::vector<TensorType>> concrete_inputs(
    const Graph& graph, const Common& common,
    const std::map<std::string, Tensor, std::less<>>& given) {
  SymbolBinding symbols(graph);
  std::map<std::string, std::int64_t> last;
  for (const std::string& text : common.dims) {
    if (const auto dim = split_dim(text)) last.insert_or_assign(dim->first, dim->second);
  }
  for (const auto& [name, size] : last) {
    if (auto s = symbols.bind(name, size); !s) return s.error().with_context("--dim " + name);
  }
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    const auto at = given.find(graph.value(graph.inputs()[i]).name);
    if (at == given.end()) continue;
    if (auto s = symbols.bind_input(i, at->second); !s) return s.error();
  }
  std::vector<TensorType> out;
  for (ValueId id : graph.inputs()) out.push_back(symbols.concrete(graph.value(id).type, 1));
  return out;
}

Result<std::vector<Tensor>> random_inputs(const Graph& graph, std::span<const TensorType> types,
                                          std::uint64_t seed) {
  std::uint64_t state = seed * 2 + 1;
  const auto next = [&state] {  // xorshift64* (Vigna 2016)
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545F4914F6CDD1Du) >> 11;
  };
  for (int i = 0; i < 8; ++i) (void)next();
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const TensorType& type = types[i];
    if (is_host_only(type)) {
      out.emplace_back();
      continue;
    }
    auto tensor = Tensor::allocate(type);
    if (!tensor) {
      return tensor.error().with_context("[cli] input '" + graph.value(graph.inputs()[i]).name +
                                         "'");
    }
    for (std::int64_t e = 0; e < tensor->elements(); ++e) {
      const double unit = static_cast<double>(next()) * 0x1p-53;
      const double value = is_float(type.dtype) ? unit * 2 - 1 : (unit < 0.5 ? 0 : 1);
      store_f64(type.dtype, tensor->mutable_bytes().data(), e, value);
    }
    out.push_back(tensor.take());
  }
  return out;
}

void write_shape(JsonWriter& json, const Graph& graph, const Shape& shape) {
  json.begin_array();
  for (std::int64_t dim : shape) {
    if (is_static_dim(dim)) {
      json.value(dim);
    } else if (is_symbol_dim(dim)) {
      json.value(graph.symbols()[static_cast<std::size_t>(symbol_of(dim))].name);
    } else {
      json.null();
    }
  }
  json.end_array();
}

void write_kind(JsonWriter& json, ValueKind kind) {
  switch (kind) {
    case ValueKind::kTensor: return;
    case ValueKind::kSequence: json.field("kind", "sequence"); return;
    case ValueKind::kOptional: json.field("kind", "optional"); return;
    case ValueKind::kOptionalSequence: json.field("kind", "optional sequence"); return;
  }
}

std::string type_text(const Graph& graph, const TensorType& type) {
  switch (type.kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence: return "seq(" + type_text(graph, type.as(ValueKind::kTensor)) + ")";
    case ValueKind::kOptional: return "opt(" + type_text(graph, type.as(ValueKind::kTensor)) + ")";
    case ValueKind::kOptionalSequence:
      return "opt(" + type_text(graph, type.as(ValueKind::kSequence)) + ")";
  }
  std::string out(dtype_name(type.dtype));
  out += '[';
  for (int d = 0; d < type.shape.rank(); ++d) {
    const std::int64_t dim = type.shape[d];
    if (d > 0) out += ", ";
    if (is_static_dim(dim)) {
      out += std::to_string(dim);
    } else {
      out +=
          is_symbol_dim(dim) ? graph.symbols()[static_cast<std::size_t>(symbol_of(dim))].name : "?";
    }
  }
  return out + ']';
}

std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& path, const Logger& log) {
  std::string file = path;
  if (path_kind(path) == PathKind::kFolder) file = tokenizer_file_in(path);
  if (file.empty()) {
    return Error::not_found("[tokenizer] '" + path +
                            "' is a folder without tokenizer.json, vocab.json with merges.txt, "
                            "tokenizer.model or vocab.txt");
  }
  auto source = Source::open(file);
  if (!source) return source.error();
  auto settings = read_tokenizer_file(*source);
  if (auto status = source->check(); !status) return status.error();
  if (!settings) return settings.error().with_context("'" + file + "'");
  Result<std::unique_ptr<Tokenizer>> tokenizer = Error::internal("[tokenizer] nothing read");
  if (*settings) {
    tokenizer = Tokenizer::create(std::move(**settings));
  } else {
    LoadOptions options;
    options.log = log;
    options.arch.context_max = 1;  // nothing will be run
    auto model = load_model(*source, OpSet::builtin(), options);
    if (!model) return model.error();
    tokenizer = make_tokenizer(*model);
  }
  if (!tokenizer) return tokenizer.error().with_context("'" + file + "'");
  return tokenizer;
}

std::string device_text(Runtime& runtime) {
  std::string out;
  for (DeviceIndex d = 0; d < runtime.spread(); ++d) {
    if (d > 0) out += ',';
    out += runtime.device(d).info().id;
  }
  return out;
}

}  // namespace polaris::cli
