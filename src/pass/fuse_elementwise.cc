#include <algorithm>
#include <utility>

#include "ir/op_attrs/chain.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

constexpr std::size_t kStepsMax = 16;
constexpr std::size_t kInputsMax = 8;

/// One step of polaris.Chain: an elementwise op of floats with a scalar form and no attributes.
bool is_step(const Editor& editor, const Node& node) {
  const OpDef& op = *node.op;
  if (node.dead || !op.domain.empty() || op.scalar == nullptr || op.make_attrs != nullptr ||
      !op.has_trait(kElementwise) || node.outputs.size() != 1 || !node.outputs[0].valid()) {
    return false;
  }
  if (node.inputs.empty() || node.inputs.size() > 2) return false;
  if (!editor.type(node.outputs[0]).is_tensor()) return false;
  const DType dtype = editor.type(node.outputs[0]).dtype;
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id.valid() && editor.type(id).dtype == dtype && editor.type(id).encoding.is_plain();
  });
}

/// The nodes of one chain, the last first, and what it reads from outside.
struct Chain {
  std::vector<NodeId> nodes;
  std::vector<ValueId> inputs;

  bool has(NodeId id) const { return std::find(nodes.begin(), nodes.end(), id) != nodes.end(); }
};

std::vector<ValueId> outside_inputs(const Editor& editor, const std::vector<NodeId>& nodes,
                                    Graph& graph) {
  std::vector<ValueId> out;
  for (NodeId id : nodes) {
    for (ValueId input : graph.node(id).inputs) {
      const NodeId producer = editor.value(input).producer;
      const bool inside = std::find(nodes.begin(), nodes.end(), producer) != nodes.end();
      if (inside || std::find(out.begin(), out.end(), input) != out.end()) continue;
      out.push_back(input);
    }
  }
  return out;
}

/// Grows a chain backwards from `last` through values that only it reads.
Chain grow(Editor& editor, NodeId last) {
  Chain chain;
  chain.nodes.push_back(last);
  Graph& graph = editor.graph();
  for (std::size_t i = 0; i < chain.nodes.size(); ++i) {
    for (ValueId input : graph.node(chain.nodes[i]).inputs) {
      const NodeId producer = editor.value(input).producer;
      if (!producer.valid() || !editor.in_focus(graph.node(producer)) || chain.has(producer) ||
          chain.nodes.size() == kStepsMax)
        continue;
      if (!is_step(editor, graph.node(producer)) || !editor.is_internal(input)) continue;
      const Users users = editor.users(input);
      const bool ours =
          std::all_of(users.begin(), users.end(), [&](NodeId user) { return chain.has(user); });
      if (!ours) continue;
      std::vector<NodeId> grown = chain.nodes;
      grown.push_back(producer);
      if (outside_inputs(editor, grown, graph).size() > kInputsMax) continue;
      chain.nodes = std::move(grown);
    }
  }
  return chain;
}

/// `position` tells where each node of the graph, but for those made here, stands in its order.
Result<bool> fuse(Editor& editor, const Targets& targets, NodeId last,
                  const IdVector<NodeId, std::size_t>& position) {
  if (!targets.of(editor.node(last).device).fuses_chains) return false;
  editor.focus(last);
  Chain chain = grow(editor, last);
  if (chain.nodes.size() < 2) return false;
  Graph& graph = editor.graph();
  std::vector<NodeId> sorted = chain.nodes;
  std::sort(sorted.begin(), sorted.end(),
            [&](NodeId a, NodeId b) { return position[a] < position[b]; });
  chain.inputs = outside_inputs(editor, sorted, graph);
  auto attrs = std::make_unique<ChainAttrs>();
  const auto inputs = static_cast<std::int64_t>(chain.inputs.size());
  for (NodeId id : sorted) {
    const Node& node = graph.node(id);
    attrs->ops.emplace_back(node.op->name);
    for (std::size_t slot = 0; slot < 3; ++slot) {
      std::int64_t arg = -1;
      if (slot < node.inputs.size()) {
        const ValueId input = node.inputs[slot];
        const auto inside = std::find(sorted.begin(), sorted.end(), editor.value(input).producer);
        arg = inside != sorted.end() ? inputs + (inside - sorted.begin())
                                     : std::find(chain.inputs.begin(), chain.inputs.end(), input) -
                                           chain.inputs.begin();
      }
      attrs->args.push_back(arg);
    }
  }
  const auto types = editor.types_of("polaris.Chain", chain.inputs, attrs.get());
  const TensorType& wanted = editor.type(editor.node(last).outputs[0]);
  if (!types || (*types)[0] != wanted) return false;
  if (!editor.runs(targets, "polaris.Chain", chain.inputs, attrs.get())) return false;
  auto made = replace_node(editor, last, "polaris.Chain", chain.inputs, std::move(attrs));
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  // From the back, so that a chain starts at its last op and takes all it can.
  const std::vector<NodeId> order = graph.order();
  IdVector<NodeId, std::size_t> position(graph.node_count());
  for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  for (std::size_t i = order.size(); i-- > 0;) {
    if (!is_step(editor, graph.node(order[i]))) continue;
    if (auto done = fuse(editor, targets, order[i], position); !done) return done;
  }
  return editor.changed();
}

}  // namespace

extern constinit const Pass pass_fuse_elementwise{
    .name = "fuse_elementwise",
    .doc = "Runs of elementwise float32 ops that feed only each other become polaris.Chain.",
    .run = run,
    .per_device = true,
};

}  // namespace polaris
