// Resource variables: States under the names that VAR_HANDLE gives them.
#include <utility>

#include "base/strings.h"
#include "ir/evaluate_graph.h"
#include "load/tflite/importer.h"
#include "load/tflite/tensor.h"

namespace polaris::tflite {
namespace {

/// The variable that input 0 names, or null and an error.
const std::string* variable_of(OperatorImport& o) {
  (void)o.in(0);
  if (!o.ok()) return nullptr;
  const std::string* name = o.importer().resource(o.def().inputs[0]);
  if (name == nullptr) o.unsupported("a variable that no VAR_HANDLE of its subgraph names");
  return name;
}

}  // namespace

void var_handle(OperatorImport& o) {
  if (!o.has_output(0)) return o.fail("output 0 is missing");
  const FlatTable& options = o.def().options;
  std::string name = printable(options.text(0)) + "/" + printable(options.text(1));
  if (name.front() == '/') name.erase(0, 1);
  o.importer().name_resource(o.def().outputs[0], std::move(name));
}

void read_variable(OperatorImport& o) {
  const std::string* name = variable_of(o);
  const auto type = static_type(o.out());
  if (!type) return o.builder().fail(type.error());
  if (name == nullptr) return;
  SubgraphImporter& in = o.importer();
  o.give_raw(0, use_variable(in.file(), in.graph(), *name, *type, nullptr).value);
}

void assign_variable(OperatorImport& o) {
  const std::string* name = variable_of(o);
  if (name == nullptr) return;
  const ValueId value = o.raw(1);
  auto type = static_type(o.in(1));
  if (!type) return o.builder().fail(type.error());
  SubgraphImporter& in = o.importer();
  use_variable(in.file(), in.graph(), *name, *type, nullptr).value = value;
}

// What the subgraph assigns is where the variables start: it is run once, here.
void call_once(OperatorImport& o) {
  // Nodes of ours; these subgraphs assign constants.
  constexpr std::int64_t kStepsMax = 1 << 16;
  FileContext& file = o.importer().file();
  const auto index = static_cast<std::uint32_t>(o.option(0, -1));
  if (index >= file.model.subgraphs.size()) {
    return o.fail("subgraph, got " + std::to_string(index) + ", wanted one of " +
                  std::to_string(file.model.subgraphs.size()));
  }
  if (o.importer().graph().nested) return o.unsupported("inside of a branch or a loop");
  if (!file.initialized_by.insert(index).second) return;
  Graph graph;
  GraphContext context{Builder(graph, file.ops), {}, o.importer().graph().open, false};
  SubgraphImporter once(file, context, index);
  Status status = once.run();
  if (status) status = context.builder.status();
  for (const auto& [name, variable] : context.variables) {
    if (status) graph.set_state_update(variable.state, variable.value);
  }
  if (status) status = infer_graph(graph);
  if (!status) return o.builder().fail(status.error());
  const auto values = evaluate_graph(graph, {}, {}, kStepsMax);
  if (!values) return o.builder().fail(values.error());
  for (const auto& [name, variable] : context.variables) {
    auto constant = std::make_shared<Constant>();
    constant->name = name;
    constant->data = values->states[variable.state];
    file.initial[name] = std::move(constant);
  }
}

}  // namespace polaris::tflite
