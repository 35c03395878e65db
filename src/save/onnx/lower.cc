#include "save/onnx/lower.h"

#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/decompose.h"
#include "ir/nested.h"
#include "ir/op_attrs/matmul.h"

namespace polaris::onnx {
namespace {

/// Whether Gemm takes the operands of a polaris.Linear as they are.
bool is_gemm(const Graph& graph, const Node& node) {
  const TensorType& x = graph.value(node.inputs[0]).type;
  if (x.shape.rank() != 2) return false;
  for (const ValueId input : node.inputs) {
    if (!input.valid()) continue;
    const TensorType& type = graph.value(input).type;
    if (type.dtype != x.dtype || !type.encoding.is_plain()) return false;
  }
  return true;
}

/// Control flow and decoding have forms of their own.
bool has_own_form(const OpDef& op) { return op.is_control() || op.is("Decode", "polaris"); }

/// Returns whether there was something to do: a definition may use ops of ours again.
Result<bool> lower_ops(Graph& graph, const OpSet& ops) {
  std::vector<NodeId> defined;
  for (const NodeId id : graph.order()) {
    Node& node = graph.node(id);
    if (node.op->domain != "polaris" || has_own_form(*node.op)) continue;
    if (node.op->decompose == nullptr) return cannot_write(node, "ONNX has no such operator");
    if (node.op->is("Linear", "polaris") && is_gemm(graph, node)) {
      auto attrs = std::make_unique<GemmAttrs>();
      attrs->transB = true;
      node.op = ops.find("Gemm");
      node.attrs = std::move(attrs);
      continue;
    }
    defined.push_back(id);
  }
  if (defined.empty()) return false;
  if (Status s = decompose_nodes(graph, defined, ops); !s) {
    return s.error().with_context("[onnx] cannot be written");
  }
  return true;
}

Status lower_decodes(Graph& graph) {
  IdVector<ValueId, ValueId> to(graph.value_count());
  std::vector<NodeId> gone;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (!node.op->is("Decode", "polaris")) continue;
    if (!graph.value(node.inputs[0]).constant) {
      return cannot_write(node, "it decodes a value that is no constant");
    }
    to[node.outputs[0]] = node.inputs[0];
    gone.push_back(id);
  }
  if (gone.empty()) return Status::success();
  graph.replace_uses(to);
  graph.remove_nodes(gone);
  return Status::success();
}

}  // namespace

Error cannot_write(const Node& node, std::string_view why) {
  return Error::unsupported("[onnx] " + op_full_name(*node.op) + " node '" + printable(node.name) +
                            "': cannot be written: " + std::string(why));
}

Status lower(Graph& root, const OpSet& ops) {
  for (Graph* graph : graphs_within(root)) {
    if (graph->states().empty()) continue;
    const State& state = *graph->states().front().state;
    return Error::unsupported("[onnx] state '" + printable(state.name) +
                              "': cannot be written: a run of an ONNX model leaves nothing behind" +
                              (state.paged ? ", and this one is a paged cache" : ""));
  }
  for (Graph* graph : graphs_within(root)) {
    constexpr int kRoundsMax = 8;
    for (int round = 0; round < kRoundsMax; ++round) {
      const auto changed = lower_ops(*graph, ops);
      if (!changed) return changed.error();
      if (!*changed) break;
    }
    if (Status s = lower_decodes(*graph); !s) return s;
  }
  return Status::success();
}

}  // namespace polaris::onnx
