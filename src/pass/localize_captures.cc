#include <utility>

#include "ir/control.h"
#include "ir/op_attrs/control.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// How the graphs of a node use the captures they are given: one flag per capture.
struct CaptureUse {
  std::vector<bool> read;
  std::vector<bool> handed_out;
};

/// `captures`: the last inputs of the node and of each of its graphs.
CaptureUse capture_use(const Node& node, std::size_t captures) {
  CaptureUse out;
  out.read.resize(captures);
  out.handed_out.resize(captures);
  for (const auto& sub : node.subgraphs) {
    ValueFlags read(sub->value_count());
    ValueFlags handed_out(sub->value_count());
    for (NodeId id : sub->order()) {
      for (ValueId input : sub->node(id).inputs) {
        if (input.valid()) read[input] = true;
      }
    }
    for (ValueId id : sub->outputs()) handed_out[id] = true;
    const std::size_t own = sub->inputs().size() - captures;
    for (std::size_t i = 0; i < captures; ++i) {
      const ValueId value = sub->inputs()[own + i];
      if (handed_out[value]) out.handed_out[i] = true;
      if (read[value] || handed_out[value]) out.read[i] = true;
    }
  }
  return out;
}

/// Makes captures that go constants of `sub`, where it reads them.
void take_captures(Graph& sub, const std::vector<bool>& drop, const std::vector<bool>& read,
                   const std::vector<std::shared_ptr<const Constant>>& constants) {
  const std::size_t own = sub.inputs().size() - drop.size();
  IdVector<ValueId, ValueId> to(sub.value_count());
  std::vector<bool> gone(own, false);
  for (std::size_t i = 0; i < drop.size(); ++i) {
    gone.push_back(drop[i]);
    if (!drop[i] || !read[i]) continue;
    const ValueId inner = sub.add_constant(constants[i]);
    to[sub.inputs()[own + i]] = inner;
  }
  sub.replace_uses(to);
  sub.remove_inputs(gone);
}

/// Constants that subgraphs capture become constants inside them, and captures that nobody reads
/// go; both leave fewer values to hand around.
Result<bool> localize(Editor& editor, NodeId id) {
  Node& node = editor.node(id);
  for (const auto& sub : node.subgraphs) {
    if (sub.use_count() > 1) return false;  // what others call it with may differ
  }
  const auto view = control_view(node);
  if (!view) return view.error();
  const auto captures = static_cast<std::size_t>(view->captures);
  const std::size_t own = node.inputs.size() - captures;
  const CaptureUse use = capture_use(node, captures);
  std::vector<bool> drop(captures, false);
  std::vector<std::shared_ptr<const Constant>> constants(captures);
  std::int64_t dropped = 0;
  for (std::size_t i = 0; i < captures; ++i) {
    const ValueId outer = node.inputs[own + i];
    if (outer.valid()) constants[i] = editor.value(outer).constant;
    drop[i] = !use.read[i] || (constants[i] && !use.handed_out[i]);
    if (drop[i]) ++dropped;
  }
  if (dropped == 0) return false;
  for (const auto& sub : node.subgraphs) take_captures(*sub, drop, use.read, constants);
  std::vector<bool> gone(own, false);
  gone.insert(gone.end(), drop.begin(), drop.end());
  editor.remove_inputs(id, gone);
  if (node.op->control->counts_captures) {
    static_cast<ControlAttrs&>(*node.attrs).captures -= dropped;
  }
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  bool changed = false;
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (!graph.node(id).op->is_control()) continue;
    auto localized = localize(editor, id);
    if (!localized) return localized.error();
    changed |= *localized;
  }
  return changed;
}

}  // namespace

extern constinit const Pass pass_localize_captures{
    .name = "localize_captures",
    .doc = "Constants that control flow captures move into its subgraphs; unread captures go.",
    .run = run,
    .takes_any_rank = true,
};

}  // namespace polaris
