#include "pass/fold.h"

#include <algorithm>
#include <utility>

#include "ir/any_rank.h"
#include "ir/evaluate.h"
#include "ir/infer.h"
#include "ir/node_view.h"

namespace polaris {
namespace {

// A folded result may grow so far: int8 weights to float32, and small tables.
constexpr std::int64_t kGrowth = 4;
constexpr std::int64_t kGrowthBytes = std::int64_t{1} << 20;
// The references are slow; what costs more than this is left to the kernels.
constexpr std::int64_t kFlopsMax = 200'000'000;

class Folder {
 public:
  /// `by_types`: what types alone decide is folded, too.
  Folder(Graph& graph, const OpSet& ops, IdVector<ValueId, Tensor> known, bool by_types)
      : editor_(graph, ops), known_(std::move(known)), by_types_(by_types) {}

  Result<bool> run(const std::function<bool(const Node&)>& wanted);

 private:
  bool fold_known(NodeId id);
  bool fold_evaluated(NodeId id);
  std::int64_t input_bytes(const Node& node) const;
  bool may_fold(const Node& node) const;
  bool is_cheap(const Node& node) const;
  bool take(NodeId id, std::span<const Tensor> results);

  Editor editor_;
  IdVector<ValueId, Tensor> known_;
  bool by_types_;
};

bool is_small_enough(const TensorType& type, std::int64_t from_bytes) {
  const auto bytes = type.bytes();
  return bytes && *bytes <= from_bytes * kGrowth + kGrowthBytes;
}

/// Every output becomes a constant. Not where a graph output would become one: executors hand
/// out what kernels write.
bool Folder::take(NodeId id, std::span<const Tensor> results) {
  const Node& node = editor_.node(id);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId old = node.outputs[i];
    if (old.valid() && !editor_.is_internal(old)) return false;
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId old = node.outputs[i];
    if (!old.valid() || !editor_.is_read(old)) continue;
    editor_.replace(old, editor_.add_constant(editor_.value(old).name, results[i]));
  }
  editor_.remove_if_dead(id);
  return true;
}

bool Folder::fold_known(NodeId id) {
  const Node& node = editor_.node(id);
  std::vector<Tensor> results;
  for (ValueId output : node.outputs) {
    Tensor tensor;
    if (known_.has(output)) tensor = known_[output];
    if (output.valid() && !tensor) return false;
    results.push_back(tensor);
  }
  return !results.empty() && take(id, results);
}

std::int64_t Folder::input_bytes(const Node& node) const {
  std::int64_t total = 0;
  for (ValueId input : node.inputs) {
    if (const Tensor* tensor = editor_.constant(input)) {
      total += static_cast<std::int64_t>(tensor->bytes().size());
    }
  }
  return total;
}

bool Folder::may_fold(const Node& node) const {
  const OpDef& op = *node.op;
  if (!op.has_trait(kFoldable) || op.has_trait(kStateful) || !op.is_defined()) {
    return false;
  }
  if (op.is("Decode", "polaris") || !node.subgraphs.empty()) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
    if (!input.valid()) return true;
    if (by_types_ && op.has_trait(kTypeOnly)) return editor_.type(input).shape.is_static();
    return editor_.constant(input) != nullptr;
  });
}

bool Folder::is_cheap(const Node& node) const {
  const NodeView view = view_node(editor_.graph(), node);
  InferContext context = infer_context(view);
  const std::int64_t from_bytes = input_bytes(node);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].valid()) continue;
    context.outputs[i] = editor_.type(node.outputs[i]);
    if (node.op->has_trait(kDataDependent)) continue;
    if (!is_small_enough(context.outputs[i], from_bytes)) return false;
  }
  if (node.op->flops == nullptr || node.op->has_trait(kDataDependent)) return true;
  const OwnedNodeTypes node_types(context);
  return node.op->flops(node_types.types()) <= kFlopsMax;
}

bool Folder::fold_evaluated(NodeId id) {
  const Node& node = editor_.node(id);
  if (!may_fold(node) || !is_cheap(node)) return false;
  std::vector<Tensor> typed(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    inputs[i] = editor_.constant(node.inputs[i]);
    if (inputs[i] == nullptr) {
      typed[i] = Tensor::view(editor_.type(node.inputs[i]), {}, nullptr);
      inputs[i] = &typed[i];
    }
  }
  auto results =
      evaluate_node(*node.op, *node.attrs, node.name, inputs, static_cast<int>(node.outputs.size()),
                    input_bytes(node) * kGrowth + kGrowthBytes);
  // What fails to evaluate here fails, or not, where it is run: folding must not decide that.
  return results && take(id, *results);
}

Result<bool> Folder::run(const std::function<bool(const Node&)>& wanted) {
  const std::vector<NodeId> order = editor_.graph().order();
  for (NodeId id : order) {
    const Node& node = editor_.node(id);
    if (node.dead || !wanted(node)) continue;
    if (!fold_known(id)) fold_evaluated(id);
  }
  return editor_.changed();
}

}  // namespace

Result<bool> fold_nodes(Graph& graph, const OpSet& ops,
                        const std::function<bool(const Node&)>& wanted) {
  const auto is_asked_for = [&](NodeId id) {
    return !graph.node(id).dead && wanted(graph.node(id));
  };
  // Inference costs more than looking.
  if (std::ranges::none_of(graph.order(), is_asked_for)) return false;
  IdVector<ValueId, Tensor> known;
  // Where a rank is open, types say nothing certain: what is made of constants alone is folded.
  if (has_any_rank(graph)) return Folder(graph, ops, std::move(known), false).run(wanted);
  // A branch that fits no shape at hand stays as it is, and says so if it is ever taken.
  if (!infer_graph(graph, &known)) return false;
  return Folder(graph, ops, std::move(known), true).run(wanted);
}

}  // namespace polaris
