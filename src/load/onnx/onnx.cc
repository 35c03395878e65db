#include <utility>

#include "base/checked.h"
#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/text/symbol_text.h"
#include "load/loader.h"
#include "load/onnx/decoder_import.h"
#include "load/onnx/functions.h"
#include "load/onnx/importer.h"
#include "load/onnx/proto.h"
#include "load/onnx/tensor.h"

namespace polaris {
namespace {

// The newest op-set there is; a later one may have changed what an op means.
constexpr std::int64_t kOpsetMax = 28;

// The newest IR version there is, likewise.
constexpr std::int64_t kIrVersionMax = 14;

Status check_versions(const onnx::ModelDef& def) {
  if (def.ir_version < 1 || def.ir_version > kIrVersionMax) {
    return Error::unsupported("[onnx] IR version, got " + std::to_string(def.ir_version) +
                              ", wanted 1 to " + std::to_string(kIrVersionMax));
  }
  if (def.opsets.empty() && def.ir_version >= onnx::kOpsetImportFrom) {
    return Error::invalid(
        "[onnx] opset_import, got none, wanted the op-set versions of a file of "
        "IR version " +
        std::to_string(def.ir_version));
  }
  const auto at = def.opsets.find("");
  const std::int64_t version = at != def.opsets.end() ? at->second : 1;
  if (version >= 1 && version <= kOpsetMax) return Status::success();
  return Error::unsupported("[onnx] op-set version, got " + std::to_string(version) +
                            ", wanted 1 to " + std::to_string(kOpsetMax));
}

void describe(const onnx::ModelDef& def, Metadata& out) {
  const auto text = [&](const char* key, std::string_view value) {
    if (!value.empty()) out.emplace(key, std::string(value));
  };
  out.emplace("ir_version", def.ir_version);
  out.emplace("model_version", def.model_version);
  text("producer_name", def.producer_name);
  text("producer_version", def.producer_version);
  text("domain", def.domain);
  text("doc_string", def.doc_string);
  for (const auto& [domain, version] : def.opsets) {
    out.emplace("opset." + std::string(domain.empty() ? "ai.onnx" : domain), version);
  }
  for (const auto& [key, value] : def.properties) {
    out.emplace(std::string(key), std::string(value));
  }
}

// What the file says of an output and what its nodes give must not contradict each other.
Status check_output(const onnx::ValueDef& declared, const TensorType& type) {
  const std::string label = "[onnx] output '" + printable(declared.name) + "' ";
  const auto dtype = onnx::dtype_of(declared.element_type);
  if (declared.kind && declared.element_type != 0 && dtype != type.dtype) {
    return Error::invalid(label + "type, got " + onnx::data_type_name(declared.element_type) +
                          " in the file, but its node gives " +
                          std::string(dtype_name(type.dtype)));
  }
  // A loop may leave an optional as it was, though the file counts on what its body makes.
  const TensorType wanted{type.dtype, type.shape, type.encoding, declared.kind.value_or(type.kind)};
  if (!join_types(wanted, type)) {
    return Error::invalid(label + "type, got " + wanted.to_string() +
                          " in the file, but its node gives " + type.to_string());
  }
  if (!declared.shape || has_any_rank(type.shape)) return Status::success();
  const Shape& shape = type.shape;
  if (std::cmp_not_equal(declared.shape->size(), shape.rank())) {
    return Error::invalid(label + "rank, got " + std::to_string(declared.shape->size()) +
                          " in the file, but its node gives " + std::to_string(shape.rank()));
  }
  for (int i = 0; i < shape.rank(); ++i) {
    const auto size = (*declared.shape)[static_cast<std::size_t>(i)].value;
    if (size && *size < -1) {
      return Error::invalid(label + "dim " + std::to_string(i) + ", got " + std::to_string(*size) +
                            ", wanted 0 or more");
    }
    if (!size || *size < 0 || !is_static_dim(shape[i]) || *size == shape[i]) continue;
    return Error::invalid(label + "dim " + std::to_string(i) + ", got " + std::to_string(*size) +
                          " in the file, but its node gives " + std::to_string(shape[i]));
  }
  return Status::success();
}

Status check_outputs(const onnx::GraphDef& def, const Graph& graph) {
  for (std::size_t i = 0; i < def.outputs.size(); ++i) {
    if (Status s = check_output(def.outputs[i], graph.value(graph.outputs()[i]).type); !s) return s;
  }
  return Status::success();
}

Status import_main(onnx::FileContext& file, const onnx::GraphDef& def, Model& out) {
  onnx::GraphImporter importer(file, nullptr, 0);
  auto graph = importer.import(def, {});
  if (!graph) return graph.error();
  if (Status s = infer_graph(*graph); !s) {
    return Error(s.error().code(), name_symbols(s.error().message(), graph->symbols()));
  }
  if (Status s = check_outputs(def, *graph); !s) return s;
  out.functions.emplace("main", graph.take());
  return Status::success();
}

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions& options) {
  auto def = onnx::parse_model(source.main().bytes);
  if (!def) return def.error();
  if (Status s = check_versions(*def); !s) return s.error();
  Model model;
  describe(*def, model.metadata);
  onnx::FileContext file{.model = *def, .source = source, .ops = ops, .options = options};
  if (Status s = onnx::index_functions(*def, file.index); !s) return s.error();
  const Status status = options.arch.generate ? onnx::import_decoder(file, *def->graph, model)
                                              : import_main(file, *def->graph, model);
  if (!status) return status.error();
  for (const onnx::TensorDef& tensor : def->graph->initializers) {
    // Their bytes exist, so the counts are bounded by the files.
    model.parameter_count += Shape(tensor.dims).checked_elements().value_or(0);
  }
  return model;
}

}  // namespace

extern constinit const Loader loader_onnx{
    .name = "onnx",
    .detect = [](const Source& source) { return onnx::is_onnx(source.main().bytes); },
    .load = load,
};

}  // namespace polaris
