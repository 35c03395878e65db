#include "ir/graph.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <utility>

namespace polaris {
void Insertions::add(NodeId before, NodeId node) {
  const auto least = static_cast<std::size_t>(std::max(before.index, node.index)) + 1;
  if (previous_.size() < least) previous_.resize(least);
  previous_[node] = std::exchange(previous_[before], node);
  ++count_;
}

struct Graph::Cloning {
  bool keep_called = false;  // graphs that several nodes run stay the same ones
  std::map<const Graph*, std::shared_ptr<Graph>> called;  // the copies of those made so far
};

Graph Graph::clone() const {
  Cloning cloning;
  auto symbols = std::make_shared<SymbolTable>();
  for (const Symbol& symbol : symbols_->all()) symbols->add(symbol);
  return clone(std::move(symbols), cloning);
}

Graph Graph::clone_beside() const {
  Cloning cloning{.keep_called = true, .called = {}};
  return clone(symbols_, cloning);
}

Graph Graph::clone(std::shared_ptr<SymbolTable> symbols, Cloning& cloning) const {
  Graph out;
  out.name = name;
  out.values_ = values_;
  out.order_ = order_;
  out.inputs_ = inputs_;
  out.outputs_ = outputs_;
  out.output_names_ = output_names_;
  out.states_ = states_;
  for (const auto& node : nodes_) {
    auto copy = std::make_unique<Node>();
    copy->op = node->op;
    if (node->attrs) copy->attrs = node->attrs->clone();
    copy->inputs = node->inputs;
    copy->outputs = node->outputs;
    copy->name = node->name;
    copy->device = node->device;
    copy->dead = node->dead;
    for (const auto& sub : node->subgraphs) {
      const bool called = sub.use_count() > 1;
      std::shared_ptr<Graph> nested = called && cloning.keep_called ? sub : nullptr;
      if (called && !nested) nested = cloning.called[sub.get()];
      if (!nested) {
        // A nested graph that is not unified with this one yet still has a table of its own.
        nested = std::make_shared<Graph>(sub->symbols_ == symbols_ ? sub->clone(symbols, cloning)
                                                                   : sub->clone());
      }
      if (called && !cloning.keep_called) cloning.called[sub.get()] = nested;
      copy->subgraphs.push_back(std::move(nested));
    }
    out.nodes_.push_back(std::move(copy));
  }
  out.symbols_ = std::move(symbols);
  return out;
}

ValueId Graph::add_input(std::string input_name, TensorType type) {
  Value value;
  value.type = type;
  value.name = std::move(input_name);
  inputs_.push_back(values_.push_back(std::move(value)));
  return inputs_.back();
}

ValueId Graph::add_constant(std::shared_ptr<const Constant> constant) {
  Value value;
  value.type = constant->data.type();
  value.name = constant->name;
  value.constant = std::move(constant);
  return values_.push_back(std::move(value));
}

ValueId Graph::add_constant(std::string constant_name, Tensor tensor) {
  auto constant = std::make_shared<Constant>();
  constant->data = std::move(tensor);
  constant->name = std::move(constant_name);
  return add_constant(std::move(constant));
}

ValueId Graph::add_state(std::string state_name, TensorType type,
                         std::shared_ptr<const Constant> initial, bool paged) {
  auto state = std::make_shared<State>();
  state->name = state_name;
  state->type = state_type(type);
  state->initial = std::move(initial);
  state->paged = paged;
  return add_state(std::move(state), std::move(state_name), type);
}

ValueId Graph::add_state(std::shared_ptr<const State> state, std::string value_name,
                         TensorType type) {
  Value value;
  value.type = type;
  value.name = std::move(value_name);
  StateUse use;
  use.state = std::move(state);
  use.read = use.update = values_.push_back(std::move(value));
  states_.push_back(std::move(use));
  return states_.back().read;
}

std::int64_t Graph::add_symbol(Symbol symbol) { return symbols_->add(std::move(symbol)); }

NodeId Graph::make_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                        int output_count, std::string node_name) {
  const NodeId id{static_cast<std::int32_t>(nodes_.size())};
  auto node = std::make_unique<Node>();
  node->op = op;
  if (attrs) {
    node->attrs = std::move(attrs);
  } else if (op->make_attrs != nullptr) {
    node->attrs = op->make_attrs();
  } else {
    node->attrs = std::make_unique<NoAttrs>();
  }
  node->inputs = std::move(inputs);
  node->name = std::move(node_name);
  for (int i = 0; i < output_count; ++i) {
    Value value;
    value.name = output_count == 1 ? node->name : node->name + ":" + std::to_string(i);
    value.producer = id;
    value.output_index = i;
    node->outputs.push_back(values_.push_back(std::move(value)));
  }
  return nodes_.push_back(std::move(node));
}

NodeId Graph::add_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                       int output_count, std::string node_name) {
  const NodeId id =
      make_node(op, std::move(attrs), std::move(inputs), output_count, std::move(node_name));
  order_.push_back(id);
  return id;
}

NodeId Graph::add_loose_node(const OpDef* op, std::unique_ptr<Attrs> attrs,
                             std::vector<ValueId> inputs, int output_count, std::string node_name) {
  // Room for it now, so that insert_nodes() cannot fail.
  const std::size_t room = order_.capacity();
  order_.reserve(room > nodes_.size() ? room : 2 * nodes_.size() + 1);
  return make_node(op, std::move(attrs), std::move(inputs), output_count, std::move(node_name));
}

void Graph::insert_nodes(Insertions& insertions) {
  count_sweep();
  const auto& previous = insertions.previous_;
  std::size_t from = order_.size();
  order_.resize(order_.size() + insertions.count_);
  // From the back, so that what is not yet moved is never written over.
  for (std::size_t to = order_.size(); from > 0;) {
    for (NodeId id = order_[--from]; id.valid();) {
      order_[--to] = id;
      id = previous.has(id) ? previous[id] : NodeId{};
    }
  }
  insertions = {};
}

void Graph::mark_output(ValueId value, std::string output_name) {
  outputs_.push_back(value);
  output_names_.push_back(std::move(output_name));
}

std::optional<ValueId> Graph::find_input(std::string_view input_name) const {
  for (ValueId id : inputs_) {
    if (value(id).name == input_name) return id;
  }
  return std::nullopt;
}

bool Graph::is_output(ValueId value) const {
  return std::find(outputs_.begin(), outputs_.end(), value) != outputs_.end();
}

void Graph::replace_uses(const IdVector<ValueId, ValueId>& to) {
  count_sweep();
  const auto replace = [&](ValueId& id) {
    if (to.has(id) && to[id].valid()) id = to[id];
  };
  for (NodeId id : order_) {
    for (ValueId& input : node(id).inputs) replace(input);
  }
  for (ValueId& output : outputs_) replace(output);
  for (StateUse& use : states_) replace(use.update);
}

void Graph::remove_inputs(const std::vector<bool>& drop) {
  count_sweep();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!drop[i]) inputs_[kept++] = inputs_[i];
  }
  inputs_.resize(kept);
}

void Graph::remove_nodes(std::span<const NodeId> ids) {
  if (ids.empty()) return;
  count_sweep();
  for (NodeId id : ids) node(id).dead = true;
  std::erase_if(order_, [&](NodeId id) { return node(id).dead; });
}

Status Graph::sort() {
  count_sweep();
  // Ready nodes leave in their old order, so an order that is right already does not change.
  IdVector<NodeId, std::int32_t> position(nodes_.size(), -1);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    position[order_[i]] = static_cast<std::int32_t>(i);
  }
  IdVector<NodeId, std::int32_t> waits(nodes_.size(), 0);
  IdVector<NodeId, std::vector<NodeId>> readers(nodes_.size());
  for (NodeId id : order_) {
    for (ValueId input : node(id).inputs) {
      if (!input.valid()) continue;
      const NodeId producer = value(input).producer;
      if (!producer.valid() || position[producer] < 0) continue;
      ++waits[id];
      readers[producer].push_back(id);
    }
  }
  std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> ready;
  for (NodeId id : order_) {
    if (waits[id] == 0) ready.push(position[id]);
  }
  std::vector<NodeId> sorted;
  sorted.reserve(order_.size());
  while (!ready.empty()) {
    const NodeId id = order_[static_cast<std::size_t>(ready.top())];
    ready.pop();
    sorted.push_back(id);
    for (NodeId reader : readers[id]) {
      if (--waits[reader] == 0) ready.push(position[reader]);
    }
  }
  if (sorted.size() != order_.size()) {
    const auto stuck =
        std::find_if(order_.begin(), order_.end(), [&](NodeId id) { return waits[id] > 0; });
    return Error::invalid("[graph] node '" + node(*stuck).name + "' is part of a cycle");
  }
  order_ = std::move(sorted);
  return Status::success();
}

void Graph::compact() {
  count_sweep();
  ValueFlags kept(values_.size());
  const auto keep = [&](ValueId id) {
    if (id.valid()) kept[id] = true;
  };
  for (ValueId id : inputs_) keep(id);
  for (ValueId id : outputs_) keep(id);
  for (const StateUse& state : states_) keep(state.read), keep(state.update);
  for (NodeId id : order_) {
    for (ValueId input : node(id).inputs) keep(input);
    for (ValueId output : node(id).outputs) keep(output);
  }

  IdVector<ValueId, ValueId> renamed(values_.size());
  IdVector<ValueId, Value, std::deque<Value>> values;
  for (ValueId id : values_.ids()) {
    if (kept[id]) renamed[id] = values.push_back(std::move(values_[id]));
  }
  const auto rename = [&](ValueId& id) {
    if (id.valid()) id = renamed[id];
  };

  IdVector<NodeId, std::unique_ptr<Node>> nodes;
  for (NodeId& id : order_) {
    auto moved = std::move(nodes_[id]);
    id = NodeId{static_cast<std::int32_t>(nodes.size())};
    for (ValueId& input : moved->inputs) rename(input);
    for (ValueId& output : moved->outputs) {
      rename(output);
      if (output.valid()) values[output].producer = id;
    }
    nodes.push_back(std::move(moved));
  }
  for (ValueId& id : inputs_) rename(id);
  for (ValueId& id : outputs_) rename(id);
  for (StateUse& state : states_) rename(state.read), rename(state.update);
  values_ = std::move(values);
  nodes_ = std::move(nodes);
}

}  // namespace polaris
