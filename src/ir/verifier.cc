#include "ir/verifier.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/control.h"
#include "ir/infer.h"
#include "ir/nested.h"
#include "ir/ports.h"

namespace polaris {
namespace {

Error node_fail(const Node& node, std::string_view what) {
  return node_error(*node.op, node.name, what);
}

class Verifier {
 public:
  /// `seen`: the graphs that were verified, or are being.
  Verifier(const Graph& graph, int depth, std::set<const Graph*>& seen)
      : graph_(graph),
        depth_(depth),
        seen_(seen),
        defined_(graph.value_count()),
        state_(graph.value_count()) {}
  Status run();

 private:
  bool exists(ValueId id) const { return defined_.has(id); }
  bool is_defined(ValueId id) const { return exists(id) && defined_[id]; }
  Status define(ValueId id, const std::string& what);
  Status check_sources();
  Status check_constant(const Value& value);
  Status check_type(const Value& value);
  Status check_state(const StateUse& use);
  Status check_results();
  Status check_node(NodeId id);
  Status check_inputs(const Node& node);
  Status check_stateful(const Node& node);
  Status check_subgraphs(const Node& node);
  Status check_names();
  Error fail(const std::string& what) const {
    return Error::invalid("[graph] " + (graph_.name.empty() ? "" : "'" + graph_.name + "': ") +
                          what);
  }

  const Graph& graph_;
  int depth_;
  std::set<const Graph*>& seen_;
  ValueFlags defined_;
  ValueFlags state_;  // values whose bytes are a state's
};

Status Verifier::define(ValueId id, const std::string& what) {
  if (!exists(id)) return fail(what + " is no value of this graph");
  if (defined_[id]) {
    return fail(what + " '" + graph_.value(id).name + "' is defined twice");
  }
  defined_[id] = true;
  return Status::success();
}

Status Verifier::check_type(const Value& value) {
  if (is_host_only(value.type) && !value.type.encoding.is_plain()) {
    return fail("value '" + value.name + "' of type " + value.type.to_string() +
                " is encoded, wanted no such value on the host alone");
  }
  for (std::int64_t dim : value.type.shape) {
    if (is_symbol_dim(dim) &&
        symbol_of(dim) >= static_cast<std::int64_t>(graph_.symbols().size())) {
      return fail("value '" + value.name + "' of type " + value.type.to_string() +
                  " names a symbol beyond the table of " + std::to_string(graph_.symbols().size()));
    }
  }
  return Status::success();
}

Status Verifier::check_constant(const Value& value) {
  const Constant& constant = *value.constant;
  if (constant.data.type() != value.type) {
    return fail("constant '" + value.name + "', got data " + constant.data.type().to_string() +
                ", wanted " + value.type.to_string());
  }
  if (!value.type.is_tensor()) {
    return fail("constant '" + value.name + "', got " + value.type.to_string() +
                ", wanted a tensor");
  }
  // What a tensor of strings holds was checked when it was made.
  if (value.type.dtype == DType::kString && value.type.encoding.is_plain()) {
    return Status::success();
  }
  const auto bytes = value.type.bytes();
  if (!bytes || *bytes != static_cast<std::int64_t>(constant.data.bytes().size())) {
    return fail("constant '" + value.name + "', got " +
                std::to_string(constant.data.bytes().size()) + " bytes, wanted those of " +
                value.type.to_string());
  }
  if (value.type.encoding.kind == Encoding::Kind::kAffine && !constant.scale) {
    return fail("affine constant '" + value.name + "' has no scale");
  }
  return Status::success();
}

Status Verifier::check_state(const StateUse& use) {
  if (!use.state) return fail("a state is null");
  const State& state = *use.state;
  if (auto s = define(use.read, "state '" + state.name + "'"); !s) return s;
  state_[use.read] = true;
  const Value& read = graph_.value(use.read);
  if (is_host_only(read.type)) {
    return fail("state '" + state.name + "', got " + read.type.to_string() +
                ", wanted a tensor of numbers");
  }
  if (read.producer.valid() || read.constant) {
    return fail("state '" + state.name + "' reads a value that something else defines");
  }
  if (state_type(read.type) != state.type) {
    return fail("state '" + state.name + "', got a value " + read.type.to_string() + ", wanted " +
                state.type.to_string());
  }
  if (state.initial && !merge_types(state.initial->data.type(), state.type)) {
    return fail("state '" + state.name + "', got an initial " +
                state.initial->data.type().to_string() + ", wanted " + state.type.to_string());
  }
  return Status::success();
}

Status Verifier::check_sources() {
  for (ValueId id : graph_.inputs()) {
    if (auto s = define(id, "input"); !s) return s;
    if (graph_.value(id).producer.valid() || graph_.value(id).constant) {
      return fail("input '" + graph_.value(id).name + "' is also defined by something else");
    }
  }
  for (const StateUse& use : graph_.states()) {
    if (auto s = check_state(use); !s) return s;
  }
  if (depth_ > 0 && !graph_.states().empty()) return fail("a subgraph holds states");
  for (ValueId id : graph_.value_ids()) {
    const Value& value = graph_.value(id);
    if (auto s = check_type(value); !s) return s;
    if (!value.constant) continue;
    if (auto s = define(id, "constant"); !s) return s;
    if (auto s = check_constant(value); !s) return s;
  }
  return Status::success();
}

Status Verifier::check_inputs(const Node& node) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (!id.valid()) continue;
    if (!is_defined(id)) {
      const std::string name = exists(id) ? "'" + graph_.value(id).name + "'" : "out of range";
      return node_fail(node, "input " + std::to_string(i) + ", got the value " + name +
                                 ", wanted one that is defined before the node");
    }
    const TensorType& type = graph_.value(id).type;
    if (type.encoding.is_plain()) continue;
    if ((node.op->input_flags(static_cast<int>(i)) & kAcceptsEncoded) == 0) {
      return node_fail(node, "input " + std::to_string(i) + ", got " + type.to_string() +
                                 ", wanted a plain tensor (polaris.Decode makes one)");
    }
  }
  return Status::success();
}

/// What a node updates in place has to outlive the run: a state, or what another such node made of
/// one. Anything else would be written to though nothing had filled it.
Status Verifier::check_stateful(const Node& node) {
  if (!node.op->has_trait(kStateful)) return Status::success();
  for (const InPlace& pair : node.op->inplace) {
    const auto input = static_cast<std::size_t>(pair.input);
    const auto output = static_cast<std::size_t>(pair.output);
    if (!pair.required || input >= node.inputs.size() || !node.inputs[input].valid()) continue;
    if (!state_[node.inputs[input]]) {
      return node_fail(node, "input " + std::to_string(input) + ", got the value '" +
                                 graph_.value(node.inputs[input]).name +
                                 "', wanted a state, since the node updates it");
    }
    if (output < node.outputs.size() && node.outputs[output].valid() &&
        exists(node.outputs[output])) {
      state_[node.outputs[output]] = true;
    }
  }
  return Status::success();
}

Status Verifier::check_subgraphs(const Node& node) {
  if (!node.op->is_control()) {
    return node.subgraphs.empty()
               ? Status::success()
               : node_fail(node, "subgraphs, got " + std::to_string(node.subgraphs.size()) +
                                     ", wanted 0");
  }
  const auto view = control_view(node);
  if (!view) return view.error();
  for (const auto& sub : node.subgraphs) {
    if (sub.use_count() > 1 && !node.op->control->calls) {
      return node_fail(node, "runs graph '" + sub->name + "', which another node has");
    }
    if (!seen_.insert(sub.get()).second) continue;
    Verifier inner(*sub, depth_ + 1, seen_);
    if (auto s = inner.run(); !s) return s.error().with_context("in " + node.name);
  }
  return Status::success();
}

Status Verifier::check_node(NodeId id) {
  const Node& node = graph_.node(id);
  if (node.op == nullptr) return fail("node '" + node.name + "' has no operator");
  if (node.dead) return node_fail(node, "is dead but in the order");
  if (!node.attrs) return node_fail(node, "has no attributes object");
  if (auto s = check_ports(node); !s) return s;
  if (auto s = check_inputs(node); !s) return s;
  if (auto s = check_stateful(node); !s) return s;
  if (auto s = check_subgraphs(node); !s) return s;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId output = node.outputs[i];
    if (!output.valid()) continue;
    if (auto s = define(output, "output " + std::to_string(i) + " of node '" + node.name + "'");
        !s) {
      return s;
    }
    const Value& value = graph_.value(output);
    if (value.producer != id || value.output_index != static_cast<std::int32_t>(i)) {
      return node_fail(
          node, "output " + std::to_string(i) + " '" + value.name + "' names another producer");
    }
    const bool in_place = std::any_of(
        node.op->inplace.begin(), node.op->inplace.end(),
        [&](const InPlace& pair) { return pair.required && pair.output == static_cast<int>(i); });
    if (!value.type.encoding.is_plain() && !in_place) {
      return node_fail(node, "output " + std::to_string(i) + ", got " + value.type.to_string() +
                                 ", wanted a plain tensor");
    }
  }
  return Status::success();
}

Status Verifier::check_results() {
  if (graph_.outputs().size() != graph_.output_names().size()) {
    return fail("has " + std::to_string(graph_.outputs().size()) + " outputs and " +
                std::to_string(graph_.output_names().size()) + " output names");
  }
  for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
    if (!is_defined(graph_.outputs()[i])) {
      return fail("output '" + graph_.output_names()[i] + "' is a value that nothing defines");
    }
  }
  for (const StateUse& use : graph_.states()) {
    const State& state = *use.state;
    if (!is_defined(use.update)) {
      return fail("state '" + state.name + "' is updated by a value that nothing defines");
    }
    const TensorType& type = graph_.value(use.update).type;
    const TensorType& wanted = graph_.value(use.read).type;
    if (!merge_types(type, wanted)) {
      return fail("state '" + state.name + "', got an update " + type.to_string() + ", wanted " +
                  wanted.to_string());
    }
  }
  return Status::success();
}

Status Verifier::check_names() {
  std::set<std::string_view> inputs;
  for (ValueId id : graph_.inputs()) {
    // Only the outermost inputs are bound by name.
    if (depth_ == 0 && !inputs.insert(graph_.value(id).name).second) {
      return fail("two inputs are named '" + graph_.value(id).name + "'");
    }
  }
  std::set<std::string_view> outputs;
  for (const std::string& name : graph_.output_names()) {
    if (depth_ == 0 && !outputs.insert(name).second) {
      return fail("two outputs are named '" + name + "'");
    }
  }
  std::set<std::string_view> states;
  for (const StateUse& use : graph_.states()) {
    if (!states.insert(use.state->name).second) {
      return fail("two states are named '" + use.state->name + "'");
    }
  }
  return Status::success();
}

Status Verifier::run() {
  if (auto s = check_sources(); !s) return s;
  if (auto s = check_names(); !s) return s;
  for (NodeId id : graph_.order()) {
    if (auto s = check_node(id); !s) return s;
  }
  return check_results();
}

/// A fresh inference must agree with the types that stand in the graph.
Status verify_types(const Graph& graph) {
  Graph fresh = graph.clone();
  if (auto s = infer_graph(fresh); !s) return s;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].valid()) continue;
      const TensorType& got = graph.value(node.outputs[i]).type;
      const TensorType& wanted = fresh.value(node.outputs[i]).type;
      bool equal = merge_types(got, wanted).has_value();
      for (int d = 0; equal && got.shape.rank() == wanted.shape.rank() && d < got.shape.rank();
           ++d) {
        equal = !is_static_dim(got.shape[d]) || !is_static_dim(wanted.shape[d]) ||
                got.shape[d] == wanted.shape[d];
      }
      if (!equal) {
        return node_fail(node, "type of output " + std::to_string(i) + ", got " + got.to_string() +
                                   ", wanted " + wanted.to_string());
      }
    }
  }
  return Status::success();
}

}  // namespace

Status verify_graph(const Graph& graph, const VerifyOptions& options) {
  if (auto s = check_nesting(graph); !s) return s;
  std::set<const Graph*> seen;
  Verifier verifier(graph, 0, seen);
  if (auto s = verifier.run(); !s) return s;
  return options.types ? verify_types(graph) : Status::success();
}

}  // namespace polaris
