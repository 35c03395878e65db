#include "ir/infer.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "ir/evaluate.h"
#include "ir/op_attrs/control.h"
#include "ir/op_util/infer.h"
#include "ir/symbols.h"
#include "ir/verifier.h"
#include "tensor/element.h"

namespace polaris {
namespace {

constexpr std::int64_t kTrackedElementsMax = 1024;
constexpr std::int64_t kTrackedBytesMax = 1 << 16;
constexpr std::int64_t kKnown = -1;

// Shape arithmetic with symbols is followed by sampling: the op runs on several assignments of
// sizes to the symbols, and an element that is one number, or one symbol, under all of them is
// taken for that. So every op's own reference and infer serve, and none needs a symbolic twin.
// The sizes are spread so that comparisons, divisions and minima show that they depend on them.
struct Sample {
  std::int64_t base;
  std::int64_t step;
};
constexpr Sample kSamples[] = {{0, 0}, {1, 0}, {5, 2}, {101, 13}, {3001, 37}, {1LL << 40, 1000003}};
constexpr std::size_t kSampleCount = std::size(kSamples);
// Types are inferred only under these: plain sizes, whose products stay in range.
constexpr std::size_t kTypeSamples[] = {2, 3, 4};

std::int64_t sample_of(std::size_t run, std::int64_t id) {
  return kSamples[run].base + kSamples[run].step * id;
}

/// A host value; element e is data[e], or the symbol symbols[e] where that is not kKnown.
struct HostValue {
  Tensor data;
  std::vector<std::int64_t> symbols;  // empty: all known

  bool is_known() const { return static_cast<bool>(data) && symbols.empty(); }
  bool is_partial() const { return static_cast<bool>(data) && !symbols.empty(); }
};

/// What all nested graphs of one inference share.
struct Shared {
  std::int64_t symbol_count = 0;  // ids from here on stand for unknown sizes
  std::int64_t next_id = 0;
  std::int64_t steps_left = 0;
};

class Inference {
 public:
  Inference(Graph& graph, Shared& shared, int depth)
      : graph_(graph), shared_(shared), depth_(depth), values_(graph.value_count()) {}

  HostValue& host(ValueId id) { return values_[static_cast<std::size_t>(id.index)]; }
  /// Where the value is a plain constant, its data is known.
  void load_constant(ValueId id) {
    const Value& value = graph_.value(id);
    if (value.constant && value.constant->data && value.type.encoding.is_plain()) {
      host(id).data = value.constant->data;
    }
  }
  Status run();
  Status run_node(NodeId id, bool track);

 private:
  Status infer_subgraphs(Node& node);
  Status infer_if(Node& node);
  Status infer_loop(Node& node);
  Status infer_body(Graph& body, const Node& node, std::size_t first_input,
                    std::size_t first_body_input, std::size_t first_seeded);
  Result<std::vector<TensorType>> infer_outputs(const Node& node);
  std::optional<std::vector<TensorType>> infer_by_samples(const Node& node);
  void track(const Node& node);
  bool may_track(const Node& node);
  void track_by_samples(const Node& node);
  std::optional<std::vector<Tensor>> evaluate_sample(const Node& node, std::size_t run);
  HostValue merge_samples(const Node& node, std::span<const Tensor> runs);

  bool reads_data(const Node& node, std::size_t input) {
    return node.inputs[input].valid() && !node.op->has_trait(kTypeOnly);
  }
  TensorType sampled_type(ValueId id, std::size_t run);
  Tensor sampled_value(const HostValue& value, std::size_t run);
  std::int64_t unknown_dim_id(ValueId id, int dim);

  Graph& graph_;
  Shared& shared_;
  int depth_;
  std::vector<HostValue> values_;
  std::map<std::pair<ValueId, int>, std::int64_t> unknown_ids_;
};

std::int64_t Inference::unknown_dim_id(ValueId id, int dim) {
  const auto [found, fresh] = unknown_ids_.try_emplace({id, dim}, shared_.next_id);
  if (fresh) ++shared_.next_id;
  return found->second;
}

TensorType Inference::sampled_type(ValueId id, std::size_t run) {
  TensorType type = graph_.value(id).type;
  for (int i = 0; i < type.shape.rank(); ++i) {
    std::int64_t& dim = type.shape[i];
    if (dim == kUnknownDim) {
      dim = sample_of(run, unknown_dim_id(id, i));
    } else if (is_symbol_dim(dim)) {
      dim = sample_of(run, symbol_of(dim));
    }
  }
  return type;
}

Tensor Inference::sampled_value(const HostValue& value, std::size_t run) {
  if (!value.is_partial()) return value.data;
  auto copy = Tensor::from_bytes(value.data.type(), value.data.bytes());
  if (!copy) return {};
  for (std::size_t e = 0; e < value.symbols.size(); ++e) {
    if (value.symbols[e] == kKnown) continue;
    store_i64(copy->dtype(), copy->mutable_bytes().data(), static_cast<std::int64_t>(e),
              sample_of(run, value.symbols[e]));
  }
  return copy.take();
}

Status Inference::run() {
  if (depth_ > kGraphDepthMax) {
    return Error::invalid("[graph] subgraphs nested deeper than " + std::to_string(kGraphDepthMax));
  }
  for (std::size_t v = 0; v < values_.size(); ++v) {
    load_constant(ValueId{static_cast<std::int32_t>(v)});
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
  if (tracked) track(node);
  return Status::success();
}

Result<std::vector<TensorType>> Inference::infer_outputs(const Node& node) {
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> values;
  bool partial = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    types.push_back(input.valid() ? &graph_.value(input).type : nullptr);
    const bool known = input.valid() && host(input).is_known();
    values.push_back(known ? &host(input).data : nullptr);
    if (reads_data(node, i) && host(input).is_partial()) partial = true;
  }
  if (partial && node.subgraphs.empty()) {
    if (auto sampled = infer_by_samples(node)) return *sampled;
  }
  InferContext context;
  context.op = node.op;
  context.attrs = node.attrs.get();
  context.node_name = node.name;
  context.inputs = types;
  context.values = values;
  context.outputs.resize(node.outputs.size());
  context.bounds.resize(node.outputs.size());
  std::vector<const Graph*> subgraphs;
  for (const auto& sub : node.subgraphs) subgraphs.push_back(sub.get());
  context.subgraphs = subgraphs;
  if (node.op->infer == nullptr) return context.fail("has no infer");
  if (auto s = check_ports(context); !s) return s.error();
  if (auto s = node.op->infer(context); !s) return s.error();
  return std::move(context.outputs);
}

std::optional<std::vector<TensorType>> Inference::infer_by_samples(const Node& node) {
  std::vector<std::vector<TensorType>> runs;
  std::vector<std::int64_t> ids;
  for (std::size_t run : kTypeSamples) {
    std::vector<TensorType> types(node.inputs.size());
    std::vector<Tensor> tensors(node.inputs.size());
    std::vector<const TensorType*> type_ptrs(node.inputs.size(), nullptr);
    std::vector<const Tensor*> value_ptrs(node.inputs.size(), nullptr);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].valid()) continue;
      types[i] = sampled_type(node.inputs[i], run);
      type_ptrs[i] = &types[i];
      tensors[i] = sampled_value(host(node.inputs[i]), run);
      if (tensors[i]) value_ptrs[i] = &tensors[i];
      for (std::int64_t dim : graph_.value(node.inputs[i]).type.shape) {
        if (is_symbol_dim(dim)) ids.push_back(symbol_of(dim));
      }
      for (std::int64_t id : host(node.inputs[i]).symbols) ids.push_back(id);
    }
    auto inferred = infer_types(*node.op, *node.attrs, node.name, type_ptrs, value_ptrs,
                                static_cast<int>(node.outputs.size()));
    if (!inferred) return std::nullopt;
    runs.push_back(std::move(inferred->outputs));
  }
  std::vector<TensorType> out = runs[0];
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const auto& other : runs) {
      if (other[i].dtype != out[i].dtype || other[i].shape.rank() != out[i].shape.rank()) {
        return std::nullopt;
      }
    }
    for (int d = 0; d < out[i].shape.rank(); ++d) {
      const auto equals = [&](auto&& wanted) {
        for (std::size_t r = 0; r < runs.size(); ++r) {
          if (runs[r][i].shape[d] != wanted(kTypeSamples[r])) return false;
        }
        return true;
      };
      const std::int64_t first = out[i].shape[d];
      if (equals([&](std::size_t) { return first; })) continue;
      out[i].shape[d] = kUnknownDim;
      for (std::int64_t id : ids) {
        if (id >= shared_.symbol_count) continue;
        if (equals([&](std::size_t run) { return sample_of(run, id); })) {
          out[i].shape[d] = symbol_dim(id);
        }
      }
    }
  }
  return out;
}

bool Inference::may_track(const Node& node) {
  const OpDef& op = *node.op;
  if (!op.has_trait(kFoldable) || op.has_trait(kDataDependent | kStateful | kControl)) return false;
  if (op.reference == nullptr) return false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!reads_data(node, i)) continue;
    const HostValue& value = host(node.inputs[i]);
    if (!value.data || value.data.elements() > kTrackedElementsMax) return false;
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    if (!id.valid()) return true;
    const TensorType& type = graph_.value(id).type;
    const auto elements = type.shape.checked_elements();
    return elements && *elements <= kTrackedElementsMax;
  });
}

void Inference::track(const Node& node) {
  if (!may_track(node)) return;
  bool symbolic = false;
  std::vector<Tensor> typed(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (reads_data(node, i)) {
      symbolic |= host(node.inputs[i]).is_partial();
      inputs[i] = &host(node.inputs[i]).data;
    } else {
      const TensorType& type = graph_.value(node.inputs[i]).type;
      symbolic |= !type.shape.is_static();
      typed[i] = Tensor::view(type, {}, nullptr);
      inputs[i] = &typed[i];
    }
  }
  if (symbolic) return track_by_samples(node);
  auto outputs = evaluate_node(*node.op, *node.attrs, node.name, inputs,
                               static_cast<int>(node.outputs.size()), kTrackedBytesMax);
  if (!outputs) return;  // a bad shape computation is reported where its value is used
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) host(node.outputs[i]).data = std::move((*outputs)[i]);
  }
}

void Inference::track_by_samples(const Node& node) {
  std::vector<std::vector<Tensor>> by_output(node.outputs.size());
  for (std::size_t run = 0; run < kSampleCount; ++run) {
    auto outputs = evaluate_sample(node, run);
    if (!outputs) return;
    for (std::size_t i = 0; i < by_output.size(); ++i) {
      const Tensor& tensor = (*outputs)[i];
      if (is_float(tensor.dtype())) return;
      if (run > 0 && tensor.type() != by_output[i][0].type()) return;
      by_output[i].push_back(tensor);
    }
  }
  for (std::size_t i = 0; i < by_output.size(); ++i) {
    if (node.outputs[i].valid()) host(node.outputs[i]) = merge_samples(node, by_output[i]);
  }
}

std::optional<std::vector<Tensor>> Inference::evaluate_sample(const Node& node, std::size_t run) {
  std::vector<Tensor> tensors(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (reads_data(node, i)) {
      tensors[i] = sampled_value(host(node.inputs[i]), run);
      if (!tensors[i]) return std::nullopt;
    } else {
      tensors[i] = Tensor::view(sampled_type(node.inputs[i], run), {}, nullptr);
    }
    inputs[i] = &tensors[i];
  }
  auto outputs = evaluate_node(*node.op, *node.attrs, node.name, inputs,
                               static_cast<int>(node.outputs.size()), kTrackedBytesMax);
  if (!outputs) return std::nullopt;
  return outputs.take();
}

HostValue Inference::merge_samples(const Node& node, std::span<const Tensor> runs) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (reads_data(node, i)) {
      for (std::int64_t id : host(node.inputs[i]).symbols) ids.push_back(id);
      continue;
    }
    const Shape& shape = graph_.value(node.inputs[i]).type.shape;
    for (int d = 0; d < shape.rank(); ++d) {
      if (is_static_dim(shape[d])) continue;
      ids.push_back(shape[d] == kUnknownDim ? unknown_dim_id(node.inputs[i], d)
                                            : symbol_of(shape[d]));
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  HostValue out;
  out.data = runs[0];
  std::vector<std::int64_t> symbols;
  for (std::int64_t e = 0; e < out.data.elements(); ++e) {
    const auto equals = [&](auto&& wanted) {
      for (std::size_t r = 0; r < runs.size(); ++r) {
        if (element_as_i64(runs[r], e) != wanted(r)) return false;
      }
      return true;
    };
    std::int64_t symbol = kKnown;
    const std::int64_t first = element_as_i64(runs[0], e);
    if (!equals([&](std::size_t) { return first; })) {
      const auto found = std::find_if(ids.begin(), ids.end(), [&](std::int64_t id) {
        return id != kKnown && equals([&](std::size_t r) { return sample_of(r, id); });
      });
      symbol = found != ids.end() ? *found : shared_.next_id++;
    }
    symbols.push_back(symbol);
  }
  const bool known =
      std::all_of(symbols.begin(), symbols.end(), [](std::int64_t id) { return id == kKnown; });
  if (!known) out.symbols = std::move(symbols);
  return out;
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
    inner.host(input) = host(node.inputs[i]);
  }
  auto s = inner.run();
  if (!s) return s.error().with_context("in " + node.name);
  return s;
}

Status Inference::infer_if(Node& node) {
  for (auto& branch : node.subgraphs) {
    if (branch->inputs().size() != node.inputs.size() - 1) {
      return Error::invalid("[If] node '" + node.name + "': inputs of a branch, got " +
                            std::to_string(branch->inputs().size()) + ", wanted " +
                            std::to_string(node.inputs.size() - 1));
    }
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      branch->value(branch->inputs()[i - 1]).type = graph_.value(node.inputs[i]).type;
    }
    if (auto s = infer_body(*branch, node, 1, 0, 1); !s) return s;
  }
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
      const auto merged = merge_types(in, out);
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
  shared.symbol_count = static_cast<std::int64_t>(graph.symbols().size());
  shared.next_id = shared.symbol_count;
  shared.steps_left = 64 * count_nodes(graph) + 1000000;
  return shared;
}

}  // namespace

std::optional<TensorType> merge_types(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype || a.shape.rank() != b.shape.rank() || a.encoding != b.encoding) {
    return std::nullopt;
  }
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
      if (input.valid()) inference.load_constant(input);
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
    HostValue& value = inference.host(ValueId{static_cast<std::int32_t>(v)});
    if (value.is_known()) (*known)[v] = value.data;
  }
  return Status::success();
}

}  // namespace polaris
