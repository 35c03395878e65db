#include "base/checked.h"
#include "load/loader.h"
#include "load/onnx/importer.h"
#include "load/onnx/proto.h"

namespace polaris {
namespace {

// The newest op-set there is; a later one may have changed what an op means.
constexpr std::int64_t kOpsetMax = 28;

Status check_opsets(const onnx::ModelDef& def) {
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

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions&) {
  const auto def = onnx::parse_model(source.main().bytes);
  if (!def) return def.error();
  if (Status s = check_opsets(*def); !s) return s.error();
  Model model;
  describe(*def, model.metadata);
  onnx::FileContext file{*def, source, ops};
  onnx::GraphImporter importer(file, nullptr, 0);
  auto graph = importer.import(*def->graph, {});
  if (!graph) return graph.error();
  if (Status s = infer_graph(*graph); !s) return s.error();
  for (const onnx::TensorDef& tensor : def->graph->initializers) {
    // Their bytes exist, so the counts are bounded by the files.
    model.parameter_count += Shape(tensor.dims).checked_elements().value_or(0);
  }
  model.functions.emplace("main", graph.take());
  return model;
}

}  // namespace

extern constinit const Loader loader_onnx{
    .name = "onnx",
    .detect = [](const Source& source) { return onnx::is_onnx(source.main().bytes); },
    .load = load,
};

}  // namespace polaris
