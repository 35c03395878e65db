#include <vector>

#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// `add` as one product, whose result is its input `side`.
Result<bool> fuse(Editor& editor, const Targets& targets, NodeId add, std::size_t side) {
  const ValueId product = editor.node(add).inputs[side];
  const ValueId residual = editor.node(add).inputs[1 - side];
  const Node* linear = editor.producer(product, "Linear", "polaris");
  if (linear == nullptr || editor.only_user(product) != add) return false;
  if (linear->inputs.size() > 2 && linear->inputs[2].valid()) return false;
  if (editor.type(residual) != editor.type(product)) return false;
  const std::vector<ValueId> inputs{linear->inputs[0], linear->inputs[1], residual};
  if (!editor.runs(targets, "polaris.ResidualLinear", inputs)) return false;
  auto made = replace_node(editor, add, "polaris.ResidualLinear", inputs);
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("Add")) continue;
    if (!targets.of(graph.node(id).device).fuses_stages) continue;
    editor.focus(id);
    for (std::size_t side = 0; side < 2; ++side) {
      auto done = fuse(editor, targets, id, side);
      if (!done) return done;
      if (*done) break;
    }
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Add"};

}  // namespace

extern constinit const Pass pass_fuse_residual{
    .name = "fuse_residual",
    .doc =
        "The sum of a polaris.Linear and another value of its type becomes polaris.ResidualLinear, "
        "where the device fuses stages.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
