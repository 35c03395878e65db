#include "plan/host_values.h"

#include <algorithm>
#include <memory>
#include <ranges>

#include "ir/data_values.h"
#include "ir/evaluate.h"
#include "ir/host_only.h"

namespace polaris {
namespace {

// Integer shape arithmetic is small; anything larger is computed on a device.
constexpr std::int64_t kFoldElementsMax = 4096;
// Ops that only read host values (Range, ConstantOfShape) have no kernel: they fold at any size
// that memory could hold anyway.
constexpr std::int64_t kHostOpElementsMax = std::int64_t{1} << 26;

bool reads_on_host(const Node& node, std::size_t input) {
  return (node.op->input_flags(static_cast<int>(input)) & kHostRead) != 0;
}

}  // namespace

ValueFlags host_needed_values(const Graph& graph) {
  ValueFlags needed(graph.value_count());
  const auto mark = [&](ValueId id) {
    if (id.valid()) needed[id] = true;
  };
  for (NodeId id : std::views::reverse(graph.order())) {
    const Node& node = graph.node(id);
    bool wanted = false;
    for (ValueId output : node.outputs) {
      wanted = wanted || (output.valid() && needed[output]);
    }
    // A big tensor behind a host value (a mask's NonZero, a reduction) is computed on its device
    // and only the small result is read back: the walk stops at ops that need not fold.
    const bool follow = wanted && node.op->has_trait(kFoldable) && !node.op->has_trait(kTypeOnly);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool host_read = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
      if (!node.inputs[i].valid()) continue;
      const TensorType& type = graph.value(node.inputs[i]).type;
      const bool small_integer = !is_float(type.dtype) && type.shape.rank() <= 1;
      if (host_read || (follow && small_integer)) mark(node.inputs[i]);
    }
  }
  return needed;
}

bool reads_all_on_host(const Node& node) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!reads_on_host(node, i)) return false;
  }
  return !node.inputs.empty();
}

HostArithmetic host_arithmetic(const Graph& graph, const ValueFlags& host_needed) {
  const ValueFlags data = data_values(graph);
  HostArithmetic out;
  out.planned = ValueFlags(graph.value_count());
  ValueFlags wanted(graph.value_count());  // by nodes that are in already
  for (std::size_t p = graph.order().size(); p-- > 0;) {
    const Node& node = graph.node(graph.order()[p]);
    const auto any = [&](const std::vector<ValueId>& ids, const ValueFlags& flags) {
      return std::any_of(ids.begin(), ids.end(),
                         [&](ValueId id) { return id.valid() && flags[id]; });
    };
    const bool foldable = node.op->has_trait(kFoldable) && !node.op->has_trait(kDataDependent) &&
                          !runs_on_host(graph, node);
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return !id.valid() || graph.value(id).constant || host_needed[id];
    });
    const bool read = any(node.outputs, host_needed) || reads_all_on_host(node);
    const bool arithmetic =
        foldable && known && read && any(node.inputs, data) && !node.op->has_trait(kTypeOnly);
    const bool helps = foldable && any(node.outputs, wanted) && !any(node.outputs, data);
    if (arithmetic || helps) {
      out.nodes.push_back(p);
      for (ValueId input : node.inputs) {
        if (input.valid() && !node.op->has_trait(kTypeOnly)) wanted[input] = true;
      }
    }
    if (arithmetic || node.op->is_control() || runs_on_host(graph, node)) continue;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i].valid() && reads_on_host(node, i)) out.planned[node.inputs[i]] = true;
    }
  }
  std::reverse(out.nodes.begin(), out.nodes.end());
  return out;
}

bool folds_on_host(const OpDef& op, const InferContext& infer) {
  if (!op.has_trait(kFoldable) || op.has_trait(kDataDependent)) return false;
  std::int64_t limit = kFoldElementsMax;
  bool host_only = true;
  for (std::size_t i = 0; i < infer.inputs.size(); ++i) {
    if (infer.inputs[i] == nullptr || op.has_trait(kTypeOnly)) continue;
    if (infer.values[i] == nullptr || infer.inputs[i]->shape.elements() > limit) return false;
    host_only = host_only && (op.input_flags(static_cast<int>(i)) & kHostRead) != 0;
  }
  if (host_only && !op.has_trait(kTypeOnly)) limit = kHostOpElementsMax;
  return std::all_of(infer.outputs.begin(), infer.outputs.end(), [&](const TensorType& type) {
    return type.shape.is_static() && type.shape.elements() <= limit;
  });
}

Result<std::vector<Tensor>> fold_on_host(const Node& node, const InferContext& infer) {
  std::vector<Tensor> shells;  // only the type is read; the bytes need not exist
  shells.reserve(node.inputs.size());
  std::vector<const Tensor*> inputs(infer.values.begin(), infer.values.end());
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (infer.inputs[i] == nullptr || !node.op->has_trait(kTypeOnly)) continue;
    inputs[i] =
        &shells.emplace_back(Tensor::view(*infer.inputs[i], {}, std::make_shared<const char>()));
  }
  return evaluate_node(*node.op, *node.attrs, node.name, inputs,
                       static_cast<int>(node.outputs.size()));
}

LastReaders last_readers(const Graph& graph) {
  LastReaders last(graph.value_count(), -1);
  const auto end = static_cast<std::int64_t>(graph.order().size());
  for (std::int64_t at = 0; at < end; ++at) {
    for (ValueId input : graph.node(graph.order()[static_cast<std::size_t>(at)]).inputs) {
      if (input.valid()) last[input] = at;
    }
  }
  for (ValueId output : graph.outputs()) last[output] = end;
  for (const StateUse& state : graph.states()) {
    if (state.update.valid()) last[state.update] = end;
  }
  return last;
}

}  // namespace polaris
