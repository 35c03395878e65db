#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "base/json_writer.h"
#include "command.h"
#include "ir/model.h"
#include "output.h"
#include "session/program.h"
#include "session/runtime.h"
#include "tensor/tensor.h"
#include "text/tokenizer.h"

namespace polaris::cli {

/// A runtime on the devices asked for, and a model loaded for it.
struct Opened {
  std::shared_ptr<Runtime> runtime;
  Model model;
  ProgramOptions options;  // with the passes of --plugin
};
/// `given`: NAME=FILE texts of inputs, which may name defaults that the file holds.
Result<Opened> open_model(const Common& common, const std::string& path,
                          const ArchOptions& arch = {}, const std::vector<std::string>& given = {});
/// The same on a runtime that is there already, whatever devices are asked for.
Result<Opened> open_model_on(std::shared_ptr<Runtime> runtime, const Common& common,
                             const std::string& path, const ArchOptions& arch = {},
                             const std::vector<std::string>& given = {});

/// NAME=N with N at least 0, taken apart; nothing where it is not that.
std::optional<std::pair<std::string, std::int64_t>> split_dim(const std::string& text);
/// Input types with a size for every symbol: that of `given` inputs, of `--dim`, else 1, as is what
/// is not known. Errors: as SymbolBinding.
Result<std::vector<TensorType>> concrete_inputs(
    const Graph& graph, const Common& common,
    const std::map<std::string, Tensor, std::less<>>& given = {});

/// The graph's inputs, of static types, filled from a seed: floats uniform in [-1, 1), integers and
/// bools 0 or 1.
Result<std::vector<Tensor>> random_inputs(const Graph& graph, std::span<const TensorType> types,
                                          std::uint64_t seed);

/// `[2, "batch", null]`: sizes, symbols by name, unknown dims as null.
void write_shape(JsonWriter& json, const Graph& graph, const Shape& shape);
/// "float32[2, batch, ?]"
std::string type_text(const Graph& graph, const TensorType& type);
/// The key "kind" of a value that is no tensor.
void write_kind(JsonWriter& json, ValueKind kind);
/// "1.5 MiB"
std::string bytes_text(std::int64_t bytes);
/// The tokenizer of a model file, of a tokenizer file, or of a folder that holds one.
Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::string& path, const Logger& log);
/// Ids of a runtime's first devices, joined with commas: the "device" of JSON output.
std::string device_text(Runtime& runtime);

}  // namespace polaris::cli
