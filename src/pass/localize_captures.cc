#include <utility>

#include "ir/op_attrs/control.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// Whether any branch reads its input `index`.
bool is_read(const Node& node, std::size_t index) {
  for (const auto& sub : node.subgraphs) {
    const ValueId input = sub->inputs()[index];
    if (sub->is_output(input) || !sub->users(input).empty()) return true;
  }
  return false;
}

bool is_handed_out(const Node& node, std::size_t index) {
  for (const auto& sub : node.subgraphs) {
    if (sub->is_output(sub->inputs()[index])) return true;
  }
  return false;
}

/// Constants that subgraphs capture become constants inside them, and captures that nobody reads
/// go; both leave fewer values to hand around.
bool localize(Editor& editor, NodeId id) {
  Node& node = editor.node(id);
  const bool loop = node.op->is("Loop");
  const std::size_t own = loop ? 0 : 1;  // node input own + i is subgraph input i
  const std::size_t captures =
      loop ? static_cast<std::size_t>(node.attrs_as<LoopAttrs>().captures) : node.inputs.size() - 1;
  bool changed = false;
  for (std::size_t i = node.inputs.size(); i-- > node.inputs.size() - captures;) {
    const std::size_t inner = i - own;
    const ValueId outer = node.inputs[i];
    const auto constant = outer.valid() ? editor.value(outer).constant : nullptr;
    const bool read = is_read(node, inner);
    if (read && (!constant || is_handed_out(node, inner))) continue;
    for (auto& sub : node.subgraphs) {
      const ValueId input = sub->inputs()[inner];
      if (read) sub->replace_uses(input, sub->add_constant(constant));
      sub->remove_input(inner);
    }
    editor.set_input(id, i, kNoValue);
    node.inputs.erase(node.inputs.begin() + static_cast<std::ptrdiff_t>(i));
    if (loop) --static_cast<LoopAttrs&>(*node.attrs).captures;
    changed = true;
  }
  return changed;
}

Result<bool> run(Graph& graph, const Target&, const OpSet& ops) {
  Editor editor(graph, ops);
  bool changed = false;
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (node.op->is("If") || node.op->is("Loop")) changed |= localize(editor, id);
  }
  return changed;
}

}  // namespace

extern constinit const Pass pass_localize_captures{
    .name = "localize_captures",
    .doc = "Constants that If and Loop capture move into their subgraphs; unread captures go.",
    .run = run,
};

}  // namespace polaris
