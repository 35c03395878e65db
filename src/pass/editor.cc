#include "pass/editor.h"

#include <algorithm>
#include <utility>

#include "ir/evaluate.h"

namespace polaris {
namespace {

std::size_t at(ValueId id) { return static_cast<std::size_t>(id.index); }

/// The type with a size for every dim: a symbol's bound, else 1.
TensorType at_bounds(const Graph& graph, TensorType type) {
  for (int i = 0; i < type.shape.rank(); ++i) {
    std::int64_t& dim = type.shape[i];
    if (is_static_dim(dim)) continue;
    const auto symbol = dim == kUnknownDim ? -1 : symbol_of(dim);
    const bool bounded =
        symbol >= 0 && symbol < static_cast<std::int64_t>(graph.symbols().size()) &&
        graph.symbols()[static_cast<std::size_t>(symbol)].kind != Symbol::Kind::kFree;
    dim = bounded ? graph.symbols()[static_cast<std::size_t>(symbol)].bound : 1;
  }
  return type;
}

}  // namespace

Editor::Editor(Graph& graph, const OpSet& ops) : graph_(graph), ops_(ops) { count_reads(); }

void Editor::count_reads() {
  users_.resize(graph_.value_count());
  roots_.resize(graph_.value_count());
  for (NodeId id : graph_.order()) {
    for (ValueId input : graph_.node(id).inputs) {
      if (input.valid()) users_[at(input)].push_back(id);
    }
  }
  for (ValueId id : graph_.outputs()) ++roots_[at(id)];
  for (const State& state : graph_.states()) ++roots_[at(state.update)];
}

std::int64_t Editor::use_count(ValueId id) const {
  return static_cast<std::int64_t>(users_[at(id)].size()) + roots_[at(id)];
}

bool Editor::is_internal(ValueId id) const { return roots_[at(id)] == 0; }

NodeId Editor::only_user(ValueId id) const {
  return use_count(id) == 1 && is_internal(id) ? users_[at(id)][0] : NodeId{};
}

const std::vector<NodeId>& Editor::users(ValueId id) const { return users_[at(id)]; }

const Node* Editor::producer(ValueId id, std::string_view name, std::string_view domain) const {
  if (!id.valid() || !graph_.value(id).producer.valid()) return nullptr;
  const Node& node = graph_.node(graph_.value(id).producer);
  return node.op->is(name, domain) && !node.dead ? &node : nullptr;
}

const Tensor* Editor::constant(ValueId id) const {
  if (!id.valid() || !graph_.value(id).constant) return nullptr;
  const Tensor& data = graph_.value(id).constant->data;
  return data.type().encoding.is_plain() ? &data : nullptr;
}

Result<NodeId> Editor::add(NodeId before, std::string_view op, std::vector<ValueId> inputs,
                           std::string name, std::unique_ptr<Attrs> attrs, int output_count) {
  const OpDef* def = ops_.find_full(op);
  if (def == nullptr) return Error::unsupported("[pass] no operator " + std::string(op));
  const NodeId id = graph_.insert_node(before, def, std::move(attrs), std::move(inputs),
                                       output_count, std::move(name));
  users_.resize(graph_.value_count());
  roots_.resize(graph_.value_count());
  for (ValueId input : graph_.node(id).inputs) {
    if (input.valid()) users_[at(input)].push_back(id);
  }
  changed_ = true;
  if (auto s = infer_node(graph_, id); !s) return s.error();
  return id;
}

std::optional<std::vector<TensorType>> Editor::types_of(std::string_view op,
                                                        const std::vector<ValueId>& inputs,
                                                        const Attrs* attrs,
                                                        int output_count) const {
  const OpDef* def = ops_.find_full(op);
  if (def == nullptr) return std::nullopt;
  std::unique_ptr<Attrs> defaults;
  if (attrs == nullptr) {
    defaults = def->make_attrs != nullptr ? def->make_attrs() : std::make_unique<NoAttrs>();
  }
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> values;
  for (ValueId input : inputs) {
    types.push_back(input.valid() ? &type(input) : nullptr);
    values.push_back(constant(input));
  }
  auto inferred =
      infer_types(*def, attrs != nullptr ? *attrs : *defaults, "", types, values, output_count);
  if (!inferred) return std::nullopt;
  return std::move(inferred->outputs);
}

bool Editor::runs(const Target& target, std::string_view op, const std::vector<ValueId>& inputs,
                  const Attrs* attrs, int output_count) const {
  auto outputs = types_of(op, inputs, attrs, output_count);
  if (!outputs) return false;
  if (!target.supports) return true;
  const OpDef* def = ops_.find_full(op);
  std::unique_ptr<Attrs> defaults;
  if (attrs == nullptr) {
    defaults = def->make_attrs != nullptr ? def->make_attrs() : std::make_unique<NoAttrs>();
  }
  std::vector<TensorType> in_types;
  std::vector<const Tensor*> values;
  for (ValueId input : inputs) {
    in_types.push_back(input.valid() ? at_bounds(graph_, type(input)) : TensorType{});
    values.push_back(constant(input));
  }
  for (TensorType& out : *outputs) out = at_bounds(graph_, out);
  const Attrs* given = attrs != nullptr ? attrs : defaults.get();
  return target.supports(NodeTypes{def, given, in_types, *outputs, values});
}

ValueId Editor::add_constant(std::string name, Tensor tensor) {
  const ValueId id = graph_.add_constant(std::move(name), std::move(tensor));
  users_.resize(graph_.value_count());
  roots_.resize(graph_.value_count());
  return id;
}

ValueId Editor::add_constant(std::shared_ptr<const Constant> constant) {
  const ValueId id = graph_.add_constant(std::move(constant));
  users_.resize(graph_.value_count());
  roots_.resize(graph_.value_count());
  return id;
}

void Editor::drop_use(ValueId value, NodeId user) {
  auto& list = users_[at(value)];
  const auto found = std::find(list.begin(), list.end(), user);
  if (found != list.end()) list.erase(found);
}

void Editor::set_input(NodeId id, std::size_t slot, ValueId value) {
  ValueId& input = graph_.node(id).inputs[slot];
  if (input.valid()) drop_use(input, id);
  input = value;
  if (value.valid()) users_[at(value)].push_back(id);
  changed_ = true;
}

void Editor::replace(ValueId from, ValueId to, bool keep_name) {
  for (NodeId user : users_[at(from)]) {
    for (ValueId& input : graph_.node(user).inputs) {
      // Each slot is listed once: take one read per entry.
      if (input != from) continue;
      input = to;
      users_[at(to)].push_back(user);
      break;
    }
  }
  users_[at(from)].clear();
  for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
    if (graph_.outputs()[i] == from) graph_.set_output(i, to);
  }
  for (std::size_t i = 0; i < graph_.states().size(); ++i) {
    if (graph_.states()[i].update == from) graph_.set_state_update(i, to);
  }
  roots_[at(to)] += std::exchange(roots_[at(from)], 0);
  if (!keep_name && graph_.value(to).producer.valid()) {
    graph_.value(to).name = graph_.value(from).name;
  }
  changed_ = true;
}

bool Editor::may_replace(ValueId from, ValueId to) const {
  if (is_internal(from)) return true;
  return graph_.value(to).producer.valid() && is_internal(to);
}

bool Editor::is_dead(const Node& node) const {
  if (node.dead) return false;
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](ValueId id) { return !id.valid() || use_count(id) == 0; });
}

void Editor::remove_if_dead(NodeId id) {
  std::vector<NodeId> left{id};
  while (!left.empty()) {
    const NodeId next = left.back();
    left.pop_back();
    Node& dying = graph_.node(next);
    if (!is_dead(dying)) continue;
    dying.dead = true;
    removed_.push_back(next);
    changed_ = true;
    for (ValueId input : dying.inputs) {
      if (!input.valid()) continue;
      drop_use(input, next);
      if (graph_.value(input).producer.valid()) left.push_back(graph_.value(input).producer);
    }
  }
}

void Editor::finish() {
  graph_.remove_nodes(removed_);
  removed_.clear();
}

Result<ValueId> add_value(Editor& editor, NodeId before, std::string_view op,
                          std::vector<ValueId> inputs, std::string name,
                          std::unique_ptr<Attrs> attrs) {
  auto id = editor.add(before, op, std::move(inputs), std::move(name), std::move(attrs));
  if (!id) return id.error();
  return editor.node(*id).outputs[0];
}

Result<ValueId> replace_node(Editor& editor, NodeId old, std::string_view op,
                             std::vector<ValueId> inputs, std::unique_ptr<Attrs> attrs) {
  auto value =
      add_value(editor, old, op, std::move(inputs), editor.node(old).name, std::move(attrs));
  if (!value) return value;
  editor.replace(editor.node(old).outputs[0], *value);
  editor.remove_if_dead(old);
  return value;
}

}  // namespace polaris
