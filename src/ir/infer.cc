#include "ir/infer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "ir/knowledge.h"
#include "ir/op_attrs/control.h"
#include "ir/op_util/infer.h"
#include "ir/symbols.h"
#include "ir/verifier.h"

namespace polaris {
namespace {

/// What all nested graphs of one inference share.
struct Shared {
  KnowledgeBudget knowledge;
  std::int64_t steps_left = 0;
};

class Inference {
 public:
  Inference(Graph& graph, Shared& shared, int depth)
      : graph_(graph), shared_(shared), depth_(depth), knowledge_(graph, shared.knowledge) {}

  Knowledge& knowledge() { return knowledge_; }
  Status run();
  Status run_node(NodeId id, bool track);

 private:
  Status infer_subgraphs(Node& node);
  Status infer_if(Node& node);
  Status infer_loop(Node& node);
  Status infer_body(Graph& body, const Node& node, std::size_t first_input,
                    std::size_t first_body_input, std::size_t first_seeded);
  Result<std::vector<TensorType>> infer_outputs(const Node& node);
  Result<std::vector<TensorType>> infer_any_rank(const Node& node, InferContext& context);

  Graph& graph_;
  Shared& shared_;
  int depth_;
  Knowledge knowledge_;
};

Status Inference::run() {
  if (depth_ > kGraphDepthMax) {
    return Error::invalid("[graph] subgraphs nested deeper than " + std::to_string(kGraphDepthMax));
  }
  for (std::size_t v = 0; v < graph_.value_count(); ++v) {
    knowledge_.load_constant(ValueId{static_cast<std::int32_t>(v)});
  }
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
  if (!node.subgraphs.empty()) {
    if (auto s = infer_subgraphs(node); !s) return s;
  }
  auto types = infer_outputs(node);
  if (!types) return types.error();
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) graph_.value(node.outputs[i]).type = (*types)[i];
  }
  if (tracked) knowledge_.track(node);
  return Status::success();
}

Result<std::vector<TensorType>> Inference::infer_outputs(const Node& node) {
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> values;
  std::vector<std::vector<KnownInt>> partial;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    types.push_back(input.valid() ? &graph_.value(input).type : nullptr);
    const HostValue* host = input.valid() ? &knowledge_.host(input) : nullptr;
    values.push_back(host != nullptr && host->is_known() ? &host->data : nullptr);
    if (host == nullptr || !host->is_partial()) continue;
    partial.resize(i + 1);
    partial[i] = knowledge_.partial(input);
  }
  InferContext context;
  context.op = node.op;
  context.attrs = node.attrs.get();
  context.node_name = node.name;
  context.inputs = types;
  context.values = values;
  context.partial = partial;
  context.outputs.resize(node.outputs.size());
  context.bounds.resize(node.outputs.size());
  std::vector<const Graph*> subgraphs;
  for (const auto& sub : node.subgraphs) subgraphs.push_back(sub.get());
  context.subgraphs = subgraphs;
  if (node.op->infer == nullptr) return context.fail("has no infer");
  if (auto s = check_ports(context); !s) return s.error();
  const bool open = std::any_of(types.begin(), types.end(), [](const TensorType* type) {
    return type != nullptr && has_any_rank(type->shape);
  });
  if (open && node.subgraphs.empty()) return infer_any_rank(node, context);
  if (auto s = node.op->infer(context); !s) return s.error();
  return std::move(context.outputs);
}

// The op's own infer tells, for each rank that the open inputs may have, what comes out; what it
// refuses cannot come. With more than two open inputs they are taken to have one rank, which tells
// the element types only.
Result<std::vector<TensorType>> Inference::infer_any_rank(const Node& node, InferContext& context) {
  std::vector<TensorType> types(node.inputs.size());
  std::vector<const TensorType*> pointers(node.inputs.size(), nullptr);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (context.inputs[i] == nullptr) continue;
    types[i] = *context.inputs[i];
    pointers[i] = &types[i];
    if (has_any_rank(types[i].shape)) open.push_back(i);
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

Status Inference::infer_subgraphs(Node& node) {
  if (node.op->is("If")) return infer_if(node);
  if (node.op->is("Loop")) return infer_loop(node);
  return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name +
                            "' has subgraphs, wanted If or Loop");
}

Status Inference::infer_body(Graph& body, const Node& node, std::size_t first_input,
                             std::size_t first_body_input, std::size_t first_seeded) {
  Inference inner(body, shared_, depth_ + 1);
  for (std::size_t i = first_input; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid() || i < first_seeded) continue;
    const ValueId input = body.inputs()[i - first_input + first_body_input];
    inner.knowledge().host(input) = knowledge_.host(node.inputs[i]);
  }
  auto s = inner.run();
  if (!s) return s.error().with_context("in " + node.name);
  return s;
}

/// A branch that cannot run gets types that make no promise inside, and outside those of the other.
void mark_refused(Graph& branch, const Graph& other) {
  for (NodeId id : branch.order()) {
    for (ValueId output : branch.node(id).outputs) {
      if (output.valid()) branch.value(output).type.shape = any_rank();
    }
  }
  for (std::size_t i = 0; i < std::min(branch.outputs().size(), other.outputs().size()); ++i) {
    Value& output = branch.value(branch.outputs()[i]);
    if (output.producer.valid()) output.type = other.value(other.outputs()[i]).type;
  }
}

Status Inference::infer_if(Node& node) {
  if (node.subgraphs.size() != 2) {
    return Error::invalid("[If] node '" + node.name + "': branches, got " +
                          std::to_string(node.subgraphs.size()) + ", wanted 2");
  }
  Status inferred[2];
  for (std::size_t b = 0; b < 2; ++b) {
    Graph& branch = *node.subgraphs[b];
    if (branch.inputs().size() != node.inputs.size() - 1) {
      return Error::invalid("[If] node '" + node.name + "': inputs of a branch, got " +
                            std::to_string(branch.inputs().size()) + ", wanted " +
                            std::to_string(node.inputs.size() - 1));
    }
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      branch.value(branch.inputs()[i - 1]).type = graph_.value(node.inputs[i]).type;
    }
    inferred[b] = infer_body(branch, node, 1, 0, 1);
  }
  if (inferred[0] && inferred[1]) return Status::success();
  // A branch that does not fit the shapes at hand is refused when it is taken, which may be never.
  const std::size_t refused = inferred[0] ? 1 : 0;
  const HostValue& cond = knowledge_.host(node.inputs[0]);
  const bool sure = cond.is_known() && cond.data.elements() == 1;
  const bool taken = sure && element_as_i64(cond.data, 0) == (refused == 0 ? 1 : 0);
  if (taken || !inferred[1 - refused]) return inferred[refused];
  mark_refused(*node.subgraphs[refused], *node.subgraphs[1 - refused]);
  return Status::success();
}

Status Inference::infer_loop(Node& node) {
  const std::int64_t captures = node.attrs_as<LoopAttrs>().captures;
  const std::size_t count = node.inputs.size();
  const auto fail = [&](const std::string& what) {
    return Error::invalid("[Loop] node '" + node.name + "': " + what);
  };
  if (node.subgraphs.size() != 1) return fail("wanted one body");
  Graph& body = *node.subgraphs[0];
  if (count < 2 || captures < 0 || static_cast<std::size_t>(captures) > count - 2) {
    return fail("captures, got " + std::to_string(captures) + " of " + std::to_string(count) +
                " inputs");
  }
  const std::size_t carried = count - 2 - static_cast<std::size_t>(captures);
  if (body.inputs().size() != count || body.outputs().size() < 1 + carried) {
    return fail("body has " + std::to_string(body.inputs().size()) + " inputs and " +
                std::to_string(body.outputs().size()) + " outputs, wanted " +
                std::to_string(count) + " and at least " + std::to_string(1 + carried));
  }
  body.value(body.inputs()[0]).type = {DType::kI64, {}, {}};
  body.value(body.inputs()[1]).type = {DType::kBool, {}, {}};
  for (std::size_t i = 2; i < count; ++i) {
    body.value(body.inputs()[i]).type = graph_.value(node.inputs[i]).type;
  }
  // A carried value's dims that change from one iteration to the next become unknown; every round
  // but the last makes at least one unknown, so this ends.
  for (bool changed = true; changed;) {
    changed = false;
    if (auto s = infer_body(body, node, 2, 2, 2 + carried); !s) return s;
    for (std::size_t i = 0; i < carried; ++i) {
      TensorType& in = body.value(body.inputs()[2 + i]).type;
      const TensorType& out = body.value(body.outputs()[1 + i]).type;
      const auto merged = join_types(in, out);
      if (!merged) {
        return fail("carried value " + std::to_string(i) + " is " + in.to_string() +
                    " before and " + out.to_string() + " after an iteration");
      }
      if (*merged != in) changed = true;
      in = *merged;
    }
  }
  return Status::success();
}

Shared shared_for(const Graph& graph) {
  Shared shared;
  shared.knowledge.symbol_count = static_cast<std::int64_t>(graph.symbols().size());
  shared.knowledge.next_id = shared.knowledge.symbol_count;
  shared.steps_left = 64 * count_nodes(graph) + 1000000;
  return shared;
}

}  // namespace

std::optional<TensorType> merge_types(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype || a.encoding != b.encoding) return std::nullopt;
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
  if (!node.subgraphs.empty()) {
    if (auto s = unify_symbols(graph); !s) return s;
    Shared shared = shared_for(graph);
    Inference inference(graph, shared, 0);
    for (ValueId input : node.inputs) {
      if (input.valid()) inference.knowledge().load_constant(input);
    }
    return inference.run_node(id, false);
  }
  // Passes and builders come here once per node: nothing may cost as much as the graph is large.
  if (auto s = check_ports(node); !s) return s;
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> values;
  for (ValueId input : node.inputs) {
    const Value* value = input.valid() ? &graph.value(input) : nullptr;
    types.push_back(value != nullptr ? &value->type : nullptr);
    const bool known = value != nullptr && value->constant && value->type.encoding.is_plain();
    values.push_back(known ? &value->constant->data : nullptr);
  }
  auto inferred = infer_types(*node.op, *node.attrs, node.name, types, values,
                              static_cast<int>(node.outputs.size()));
  if (!inferred) return inferred.error();
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) graph.value(node.outputs[i]).type = inferred->outputs[i];
  }
  return Status::success();
}

Status infer_graph(Graph& graph) { return infer_graph(graph, nullptr); }

Status infer_graph(Graph& graph, std::vector<Tensor>* known) {
  if (auto s = unify_symbols(graph); !s) return s;
  Shared shared = shared_for(graph);
  Inference inference(graph, shared, 0);
  if (auto s = inference.run(); !s) return s;
  if (known == nullptr) return Status::success();
  known->assign(graph.value_count(), Tensor());
  for (std::size_t v = 0; v < graph.value_count(); ++v) {
    HostValue& value = inference.knowledge().host(ValueId{static_cast<std::int32_t>(v)});
    if (value.is_known()) (*known)[v] = value.data;
  }
  return Status::success();
}

}  // namespace polaris
