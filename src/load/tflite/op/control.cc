// Subgraphs that run inside others.
#include <utility>

#include "ir/op_attrs/control.h"
#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

std::uint32_t subgraph(OperatorImport& o, int field) {
  return static_cast<std::uint32_t>(o.option(field, -1));
}

std::vector<ValueId> inputs_from(OperatorImport& o, std::size_t first) {
  std::vector<ValueId> out;
  for (std::size_t i = first; i < o.input_count(); ++i) out.push_back(o.raw(i));
  return out;
}

bool holds_values(OperatorImport& o, std::size_t first) {
  for (std::size_t i = first; i < o.input_count(); ++i) {
    if (o.in(i).type != kResource) continue;
    o.unsupported("a variable as an input");
    return false;
  }
  return o.ok();
}

void run_inline(OperatorImport& o, std::uint32_t index) {
  if (!holds_values(o, 0)) return;
  const auto outputs = o.importer().call(index, inputs_from(o, 0));
  if (!o.ok()) return;
  if (outputs.size() != o.output_count()) {
    return o.fail("outputs, got " + std::to_string(o.output_count()) + ", wanted " +
                  std::to_string(outputs.size()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) o.give_raw(i, outputs[i]);
}

bool has_outputs(OperatorImport& o, const Graph& graph, std::size_t wanted) {
  if (!o.ok() || graph.outputs().size() == wanted) return o.ok();
  o.fail("outputs of a subgraph, got " + std::to_string(graph.outputs().size()) + ", wanted " +
         std::to_string(wanted));
  return false;
}

}  // namespace

// Inputs: condition, then what both branches are given.
void if_op(OperatorImport& o) {
  if (!holds_values(o, 1)) return;
  const auto given = inputs_from(o, 1);
  auto yes = o.importer().nested(subgraph(o, 0), given);
  auto no = o.importer().nested(subgraph(o, 1), given);
  const std::size_t outputs = o.output_count();
  if (!has_outputs(o, *yes, outputs) || !has_outputs(o, *no, outputs)) return;
  if (outputs == 0) return;
  std::vector<ValueId> inputs{o.builder().reshape(o.raw(0), std::initializer_list<std::int64_t>{})};
  inputs.insert(inputs.end(), given.begin(), given.end());
  const auto results = o.builder().add_control("If", std::move(inputs), static_cast<int>(outputs),
                                               nullptr, {std::move(yes), std::move(no)});
  for (std::size_t i = 0; i < outputs; ++i) o.give_raw(i, results[i]);
}

void while_op(OperatorImport& o) {
  if (!holds_values(o, 0)) return;
  const auto given = inputs_from(o, 0);
  const std::size_t count = given.size();
  if (count == 0 || count != o.output_count()) {
    return o.fail("outputs, got " + std::to_string(o.output_count()) + ", wanted " +
                  std::to_string(count));
  }
  auto condition = o.importer().nested(subgraph(o, 0), given);
  auto body = o.importer().nested(subgraph(o, 1), given);
  if (!has_outputs(o, *condition, 1) || !has_outputs(o, *body, count)) return;
  const auto results = o.builder().add_control("polaris.While", given, static_cast<int>(count),
                                               std::make_unique<LoopAttrs>(),
                                               {std::move(condition), std::move(body)});
  for (std::size_t i = 0; i < count; ++i) o.give_raw(i, results[i]);
}

void call(OperatorImport& o) { run_inline(o, subgraph(o, 0)); }
/// Defined by the subgraph that it is composed of.
void stablehlo_composite(OperatorImport& o) { run_inline(o, subgraph(o, 1)); }

}  // namespace polaris::tflite
