#include "ir/infer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/any_rank.h"
#include "ir/check_results.h"
#include "ir/evaluate.h"
#include "ir/inference.h"
#include "ir/ports.h"
#include "ir/symbols.h"

namespace polaris {

Status Inference::run() {
  graph_.count_sweep();
  for (ValueId id : graph_.value_ids()) knowledge_.load_constant(id);
  for (NodeId id : graph_.order()) {
    if (auto s = run_node(id, true); !s) return s;
  }
  return Status::success();
}

Status Inference::run_node(NodeId id, bool tracked) {
  Node& node = graph_.node(id);
  if (--shared_.steps_left < 0) {
    return Error::invalid("[graph] nested loops take too long to infer at node '" + node.name +
                          "'");
  }
  if (auto s = check_ports(node); !s) return s;
  if (!node.op->is_control() && !node.subgraphs.empty()) {
    return Error::invalid("[" + op_full_name(*node.op) + "] node '" + node.name +
                          "' has subgraphs, wanted none");
  }
  auto types = infer_outputs(node);
  if (types && node.op->is_control()) types = infer_control(node);
  if (!types) return types.error();
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) graph_.value(node.outputs[i]).type = (*types)[i];
  }
  if (tracked) knowledge_.track(node);
  return Status::success();
}

Result<Types> Inference::infer_outputs(const Node& node) {
  const NodeView view = view_node(node, [&](ValueId input) -> OperandView {
    const HostValue& host = knowledge_.host(input);
    return {&graph_.value(input).type, host.is_known() ? &host.data : nullptr};
  });
  std::vector<std::vector<KnownInt>> partial;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    if (!input.valid() || !knowledge_.host(input).is_partial()) continue;
    partial.resize(i + 1);
    partial[i] = knowledge_.partial(input);
  }
  InferContext context = infer_context(view);
  context.partial = partial;
  if (node.op->infer == nullptr) return context.fail("has no infer");
  if (auto s = check_operands(context); !s) return s.error();
  const bool open = std::any_of(view.types.begin(), view.types.end(), [](const TensorType* type) {
    return type != nullptr && type->is_tensor() && has_any_rank(type->shape);
  });
  if (open && !node.op->is_control()) return infer_any_rank(node, context);
  if (auto s = node.op->infer(context); !s) return s.error();
  if (auto s = check_results(context); !s) return s.error();
  return std::move(context.outputs);
}

// The op's own infer tells, for each rank that the open inputs may have, what comes out; what it
// refuses cannot come. With more than two open inputs they are taken to have one rank, which tells
// the element types only.
Result<Types> Inference::infer_any_rank(const Node& node, InferContext& context) {
  std::vector<TensorType> types(node.inputs.size());
  std::vector<const TensorType*> pointers(node.inputs.size(), nullptr);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (context.inputs[i] == nullptr) continue;
    types[i] = *context.inputs[i];
    pointers[i] = &types[i];
    if (types[i].is_tensor() && has_any_rank(types[i].shape)) open.push_back(i);
  }
  constexpr int kRanks = kMaxRank + 1;
  const bool many = open.size() > 2;
  const int trials = open.size() == 2 ? kRanks * kRanks : kRanks;
  std::optional<std::vector<TensorType>> out;
  Status refused;
  context.inputs = pointers;
  for (int trial = 0; trial < trials; ++trial) {
    for (std::size_t k = 0; k < open.size(); ++k) {
      const int rank = !many && k == 1 ? trial / kRanks : trial % kRanks;
      types[open[k]].shape = Shape::filled(rank, kUnknownDim);
    }
    context.outputs.assign(node.outputs.size(), {});
    context.bounds.assign(node.outputs.size(), {});
    if (auto s = node.op->infer(context); !s) {
      if (refused) refused = s;
      continue;
    }
    if (!out) out = context.outputs;
    for (std::size_t i = 0; i < out->size(); ++i) {
      auto joined = join_types((*out)[i], context.outputs[i]);
      if (!joined) return context.fail("the element type of its output depends on a rank");
      (*out)[i] = *joined;
      if (many) (*out)[i].shape = any_rank();
    }
  }
  if (!out) return refused.error();
  return std::move(*out);
}

std::optional<TensorType> merge_types(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype || a.encoding != b.encoding || a.kind != b.kind) return std::nullopt;
  if (has_any_rank(a.shape)) return a;
  if (has_any_rank(b.shape)) return b;
  if (a.shape.rank() != b.shape.rank()) return std::nullopt;
  TensorType out = a;
  for (int i = 0; i < out.shape.rank(); ++i) {
    if (a.shape[i] != b.shape[i]) out.shape[i] = kUnknownDim;
  }
  return out;
}

Status infer_node(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op->is_control()) {
    const auto graphs = unify_symbols(graph);
    if (!graphs) return graphs.error();
    SharedInference shared(*graphs);
    Inference inference(graph, shared, 0);
    for (ValueId input : node.inputs) {
      if (input.valid()) inference.knowledge().load_constant(input);
    }
    return inference.run_node(id, false);
  }
  // Passes and builders come here once per node: nothing may cost as much as the graph is large.
  if (auto s = check_ports(node); !s) return s;
  const NodeView view = view_node(graph, node);
  auto inferred = infer_types(view);
  if (!inferred) return inferred.error();
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) graph.value(node.outputs[i]).type = inferred->outputs[i];
  }
  return Status::success();
}

Status infer_graph(Graph& graph) { return infer_graph(graph, nullptr); }

Status infer_graph(Graph& graph, IdVector<ValueId, Tensor>* known) {
  const auto graphs = unify_symbols(graph);
  if (!graphs) return graphs.error();
  SharedInference shared(*graphs);
  Inference inference(graph, shared, 0);
  if (auto s = inference.run(); !s) return s;
  if (known == nullptr) return Status::success();
  known->assign(graph.value_count(), Tensor());
  for (ValueId id : graph.value_ids()) {
    const HostValue& value = inference.knowledge().host(id);
    if (value.is_known()) (*known)[id] = value.data;
  }
  return Status::success();
}

}  // namespace polaris
