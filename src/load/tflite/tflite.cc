#include <map>
#include <set>
#include <utility>

#include "base/checked.h"
#include "base/strings.h"
#include "ir/text/symbol_text.h"
#include "load/loader.h"
#include "load/tflite/importer.h"

namespace polaris {
namespace {

using tflite::FileContext;
using tflite::NamedTensor;

/// Names of inputs or of outputs; files have empty ones, and some twice.
class Names {
 public:
  std::string fresh(std::string_view name, std::string_view stem, std::size_t index) {
    std::string out = name.empty() ? std::string(stem) + std::to_string(index) : std::string(name);
    while (!used_.insert(out).second) out += "_" + std::to_string(index);
    return out;
  }

 private:
  std::set<std::string, std::less<>> used_;
};

/// A subgraph as a function, with inputs and outputs named as `signature` has them, or by tensor.
class FunctionImport {
 public:
  FunctionImport(FileContext& file, std::uint32_t subgraph, const tflite::SignatureDef* signature)
      : context_{tflite::Builder(graph_, file.ops), {}, {}, false},
        importer_(file, context_, subgraph),
        signature_(signature) {}

  Result<Graph> run() {
    graph_.name = signature_ != nullptr ? signature_->key : importer_.def().name;
    Status status = add_inputs();
    if (status) status = importer_.run();
    if (status) status = add_outputs();
    if (status && !context_.builder.status()) status = context_.builder.status();
    if (!status) return status.error();
    for (const auto& [name, variable] : context_.variables) {
      graph_.set_state_update(variable.state, variable.value);
    }
    if (Status s = infer_graph(graph_); !s) {
      return Error(s.error().code(), name_symbols(s.error().message(), graph_.symbols()));
    }
    return std::move(graph_);
  }

 private:
  static std::string_view name_in(const std::vector<NamedTensor>& names, std::int32_t tensor) {
    for (const NamedTensor& named : names) {
      if (std::cmp_equal(named.tensor, tensor)) return named.name;
    }
    return {};
  }

  Status add_inputs() {
    Names names;
    std::size_t index = 0;
    for (const std::int32_t i : importer_.def().inputs) {
      const auto& tensor = importer_.def().tensors[static_cast<std::size_t>(i)];
      std::string_view name = signature_ != nullptr ? name_in(signature_->inputs, i) : "";
      if (name.empty()) name = tensor.name;
      const std::string fresh = names.fresh(name, "input", index++);
      const auto type = importer_.declared_type(tensor, fresh);
      if (!type) {
        const Error& error = context_.builder.status().error();
        return Error(error.code(), "[tflite] " + error.message());
      }
      const ValueId value = graph_.add_input(fresh, *type);
      context_.builder.mark_typed(value);
      importer_.bind(i, value);
    }
    return Status::success();
  }

  Status add_outputs() {
    Names names;
    std::vector<std::pair<std::string_view, std::int32_t>> outputs;
    if (signature_ != nullptr) {
      for (const NamedTensor& named : signature_->outputs) {
        outputs.emplace_back(named.name, static_cast<std::int32_t>(named.tensor));
      }
    } else {
      for (const std::int32_t i : importer_.def().outputs) {
        outputs.emplace_back(importer_.def().tensors[static_cast<std::size_t>(i)].name, i);
      }
    }
    std::size_t index = 0;
    for (const auto& [name, tensor] : outputs) {
      const ValueId value = importer_.value(tensor);
      if (!context_.builder.status()) {
        const Error& error = context_.builder.status().error();
        return Error(error.code(), "[tflite] output: " + error.message());
      }
      graph_.mark_output(value, names.fresh(name, "output", index++));
    }
    return Status::success();
  }

  Graph graph_;
  tflite::GraphContext context_;
  tflite::SubgraphImporter importer_;
  const tflite::SignatureDef* signature_;
};

void describe(const tflite::ModelDef& def, Metadata& out) {
  out.emplace("version", std::int64_t{def.version});
  if (!def.description.empty()) out.emplace("description", std::string(def.description));
  std::vector<std::string> signatures;
  for (const auto& signature : def.signatures) signatures.emplace_back(signature.key);
  if (!signatures.empty()) out.emplace("signatures", std::move(signatures));
}

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions&) {
  FlatBuffer buffer(source.main().bytes);
  auto def = tflite::parse_model(buffer);
  if (!def) return def.error();
  Model model;
  describe(*def, model.metadata);
  FileContext file{*def, buffer, source, ops, 0, {}, {}, {}};
  auto main = FunctionImport(file, 0, nullptr).run();
  if (!main) return main.error();
  model.functions.emplace("main", main.take());
  for (const auto& signature : def->signatures) {
    const std::string name(signature.key);
    if (name.empty() || model.functions.contains(name)) continue;
    auto function = FunctionImport(file, signature.subgraph, &signature).run();
    if (!function) return function.error();
    model.functions.emplace(name, function.take());
  }
  for (const auto& [tensor, constant] : file.constants) {
    model.parameter_count += constant ? constant->data.elements() : 0;
  }
  return model;
}

}  // namespace

extern constinit const Loader loader_tflite{
    .name = "tflite",
    .detect = [](const Source& source) { return tflite::is_tflite(source.main().bytes); },
    .load = load,
};

}  // namespace polaris
