#include <utility>

#include "ir/op_attrs/control.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// How the graphs of a node use the captures they are given: one flag per input of the node.
struct CaptureUse {
  std::vector<bool> read;
  std::vector<bool> handed_out;
};

CaptureUse capture_use(const Node& node, std::size_t own) {
  CaptureUse out;
  out.read.resize(node.inputs.size());
  out.handed_out.resize(node.inputs.size());
  for (const auto& sub : node.subgraphs) {
    std::vector<bool> read(sub->value_count(), false);
    std::vector<bool> handed_out(sub->value_count(), false);
    for (NodeId id : sub->order()) {
      for (ValueId input : sub->node(id).inputs) {
        if (input.valid()) read[static_cast<std::size_t>(input.index)] = true;
      }
    }
    for (ValueId id : sub->outputs()) handed_out[static_cast<std::size_t>(id.index)] = true;
    for (std::size_t i = 0; i < sub->inputs().size(); ++i) {
      const auto value = static_cast<std::size_t>(sub->inputs()[i].index);
      if (handed_out[value]) out.handed_out[own + i] = true;
      if (read[value] || handed_out[value]) out.read[own + i] = true;
    }
  }
  return out;
}

/// Constants that subgraphs capture become constants inside them, and captures that nobody reads
/// go; both leave fewer values to hand around.
bool localize(Editor& editor, NodeId id) {
  Node& node = editor.node(id);
  const bool loop = node.op->is("Loop");
  const std::size_t own = loop ? 0 : 1;  // node input own + i is subgraph input i
  const std::size_t captures =
      loop ? static_cast<std::size_t>(node.attrs_as<LoopAttrs>().captures) : node.inputs.size() - 1;
  const CaptureUse use = capture_use(node, own);
  std::vector<bool> drop(node.inputs.size(), false);
  std::int64_t dropped = 0;
  for (std::size_t i = node.inputs.size() - captures; i < node.inputs.size(); ++i) {
    const ValueId outer = node.inputs[i];
    const bool constant = outer.valid() && editor.value(outer).constant;
    drop[i] = !use.read[i] || (constant && !use.handed_out[i]);
    if (drop[i]) ++dropped;
  }
  if (dropped == 0) return false;
  const std::vector<bool> inner_drop(drop.begin() + static_cast<std::ptrdiff_t>(own), drop.end());
  for (auto& sub : node.subgraphs) {
    std::vector<ValueId> to(sub->value_count());
    for (std::size_t i = 0; i < inner_drop.size(); ++i) {
      if (!inner_drop[i] || !use.read[own + i]) continue;
      const ValueId inner = sub->add_constant(editor.value(node.inputs[own + i]).constant);
      to[static_cast<std::size_t>(sub->inputs()[i].index)] = inner;
    }
    sub->replace_uses(to);
    sub->remove_inputs(inner_drop);
  }
  editor.remove_inputs(id, drop);
  if (loop) static_cast<LoopAttrs&>(*node.attrs).captures -= dropped;
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
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
