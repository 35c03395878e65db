#include "ir/evaluate_graph.h"

#include <string>
#include <utility>

#include "ir/control_run.h"
#include "ir/evaluate.h"
#include "ir/ports.h"
#include "ir/scan_tensors.h"

namespace polaris {
namespace {

class Evaluator final : private ControlHost<Tensor> {
 public:
  Evaluator(const Graph& graph, std::int64_t& steps_left)
      : graph_(graph), steps_left_(steps_left), values_(graph.value_count()) {}

  Result<GraphValues> run(std::span<const Tensor> inputs, std::span<const Tensor> states);

 private:
  Status load(std::span<const Tensor> inputs, std::span<const Tensor> states);
  Result<std::vector<Tensor>> run_node(const Node& node);

  const TensorType& type(const Tensor& value) override { return value.type(); }
  Tensor of(Tensor tensor) override { return tensor; }
  Result<Tensor> host(const Tensor& value) override { return value; }
  Result<std::vector<Tensor>> run(const Graph& region, std::span<const Tensor> inputs) override;
  Result<Tensor> slice(const Tensor& whole, int axis, std::int64_t index) override {
    return slice_tensor(whole, axis, index);
  }
  Result<Tensor> stack(std::span<const Tensor> parts, const TensorType& part, int axis) override {
    return stack_tensors(parts, part, axis);
  }
  Status begin(const ControlView&, const Graph&, std::span<Tensor>) override {
    return Status::success();
  }
  Status begin_round(std::int64_t round) override;
  Status put_by(const Tensor&, std::int64_t) override { return Status::success(); }

  const Graph& graph_;
  std::int64_t& steps_left_;
  IdVector<ValueId, Constant> values_;
};

Status Evaluator::load(std::span<const Tensor> inputs, std::span<const Tensor> states) {
  if (inputs.size() != graph_.inputs().size()) {
    return Error::invalid("[graph] inputs, got " + std::to_string(inputs.size()) + ", wanted " +
                          std::to_string(graph_.inputs().size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) values_[graph_.inputs()[i]].data = inputs[i];
  for (std::size_t i = 0; i < graph_.states().size(); ++i) {
    const StateUse& use = graph_.states()[i];
    const State& state = *use.state;
    if (i < states.size()) {
      values_[use.read].data = states[i];
    } else if (state.initial) {
      values_[use.read] = *state.initial;
    } else {
      auto zeros = Tensor::allocate(state.type);
      if (!zeros) return zeros.error().with_context("state '" + state.name + "'");
      values_[use.read].data = zeros.take();
    }
  }
  for (ValueId id : values_.ids()) {
    if (graph_.value(id).constant) values_[id] = *graph_.value(id).constant;
  }
  return Status::success();
}

Result<GraphValues> Evaluator::run(std::span<const Tensor> inputs, std::span<const Tensor> states) {
  if (auto s = load(inputs, states); !s) return s.error();
  for (NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    if (--steps_left_ < 0) return Error::exhausted("[graph] too many steps to evaluate");
    auto outputs = run_node(node);
    if (!outputs) return outputs.error();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].valid()) values_[node.outputs[i]].data = (*outputs)[i];
    }
  }
  GraphValues out;
  for (ValueId id : graph_.outputs()) out.outputs.push_back(values_[id].data);
  for (const StateUse& use : graph_.states()) out.states.push_back(values_[use.update].data);
  return out;
}

Result<std::vector<Tensor>> Evaluator::run_node(const Node& node) {
  if (auto s = check_ports(node); !s) return s.error();
  if (node.op->is_control()) {
    std::vector<Tensor> operands;
    for (ValueId id : node.inputs) operands.push_back(id.valid() ? values_[id].data : Tensor());
    return run_control<Tensor>(node, *this, std::move(operands));
  }
  std::vector<const Constant*> inputs;
  for (ValueId id : node.inputs) inputs.push_back(id.valid() ? &values_[id] : nullptr);
  return evaluate_node(*node.op, *node.attrs, node.name, inputs,
                       static_cast<int>(node.outputs.size()));
}

Result<std::vector<Tensor>> Evaluator::run(const Graph& region, std::span<const Tensor> inputs) {
  auto values = Evaluator(region, steps_left_).run(inputs, {});
  if (!values) return values.error();
  return std::move(values->outputs);
}

Status Evaluator::begin_round(std::int64_t) {
  if (--steps_left_ < 0) return Error::exhausted("[graph] too many steps to evaluate");
  return Status::success();
}

}  // namespace

Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs,
                                   std::span<const Tensor> states, std::int64_t steps_max) {
  std::int64_t steps_left = steps_max;
  return Evaluator(graph, steps_left).run(inputs, states);
}

Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs) {
  return evaluate_graph(graph, inputs, {}, 10'000'000);
}

}  // namespace polaris
