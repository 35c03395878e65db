#include "pass/editor.h"

#include <algorithm>
#include <utility>

#include "ir/bounds.h"
#include "ir/evaluate.h"
#include "ir/node_view.h"

namespace polaris {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// Attributes that were given, or else the op's defaults.
class GivenAttrs {
 public:
  GivenAttrs(const OpDef& op, const Attrs* given) : given_(given) {
    if (given_ != nullptr) return;
    defaults_ = op.make_attrs != nullptr ? op.make_attrs() : std::make_unique<NoAttrs>();
    given_ = defaults_.get();
  }
  const Attrs& operator*() const { return *given_; }

 private:
  const Attrs* given_;
  std::unique_ptr<Attrs> defaults_;
};

}  // namespace

Editor::Editor(Graph& graph, const OpSet& ops)
    : graph_(graph), ops_(ops), reads_(graph.value_count()) {
  graph_.count_sweep();
  for (NodeId id : graph_.order()) add_uses(id);
  for (ValueId id : graph_.outputs()) add_root(next_root_.size(), id);
  for (const StateUse& state : graph_.states()) add_root(next_root_.size(), state.update);
}

void Editor::add_root(std::size_t root, ValueId value) {
  if (root == next_root_.size()) next_root_.push_back(-1);
  next_root_[root] = std::exchange(reads(value).first_root, static_cast<std::int32_t>(root));
}

void Editor::add_uses(NodeId id) {
  const auto& inputs = graph_.node(id).inputs;
  if (!first_use_.has(id)) first_use_.resize(graph_.node_count(), -1);
  first_use_[id] = static_cast<std::int32_t>(uses_.size());
  for (std::size_t slot = 0; slot < inputs.size(); ++slot) {
    uses_.push_back({.user = id, .slot = static_cast<std::int32_t>(slot)});
    if (inputs[slot].valid()) link(use_at(id, slot), inputs[slot]);
  }
}

void Editor::link(std::int32_t use, ValueId value) {
  Reads& list = reads(value);
  Use& added = uses_[at(use)];
  added.previous = std::exchange(list.last, use);
  added.next = -1;
  (added.previous >= 0 ? uses_[at(added.previous)].next : list.first) = use;
  ++list.count;
}

void Editor::unlink(std::int32_t use, ValueId value) {
  Reads& list = reads(value);
  const Use& gone = uses_[at(use)];
  (gone.previous >= 0 ? uses_[at(gone.previous)].next : list.first) = gone.next;
  (gone.next >= 0 ? uses_[at(gone.next)].previous : list.last) = gone.previous;
  --list.count;
}

bool Editor::is_internal(ValueId id) const { return reads(id).first_root < 0; }

NodeId Editor::only_user(ValueId id) const {
  if (reads(id).count != 1 || !is_internal(id)) return {};
  const NodeId user = *users(id).begin();
  return in_focus(graph_.node(user)) ? user : NodeId{};
}

Users Editor::users(ValueId id) const { return {uses_, reads(id).first}; }

const Node* Editor::producer(ValueId id, std::string_view name, std::string_view domain) const {
  if (!id.valid() || !graph_.value(id).producer.valid()) return nullptr;
  const Node& node = graph_.node(graph_.value(id).producer);
  return node.op->is(name, domain) && !node.dead && in_focus(node) ? &node : nullptr;
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
  const NodeId id = graph_.add_loose_node(def, std::move(attrs), std::move(inputs), output_count,
                                          std::move(name));
  graph_.node(id).device = graph_.node(before).device;
  inserted_.add(before, id);
  reads_.resize(graph_.value_count());
  add_uses(id);
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
  const GivenAttrs given(*def, attrs);
  const NodeView view =
      view_node(graph_, *def, *given, inputs, static_cast<std::size_t>(output_count));
  auto inferred = infer_types(view);
  if (!inferred) return std::nullopt;
  return std::move(inferred->outputs);
}

bool Editor::runs(const Targets& targets, std::string_view op, const std::vector<ValueId>& inputs,
                  const Attrs* attrs, int output_count) const {
  auto outputs = types_of(op, inputs, attrs, output_count);
  if (!outputs) return false;
  const Target& target = targets.of(device_);
  if (!target.supports) return true;
  const OpDef* def = ops_.find_full(op);
  const GivenAttrs given(*def, attrs);
  const SizedNode node = at_bounds(
      graph_, view_node(graph_, *def, *given, inputs, static_cast<std::size_t>(output_count)));
  std::vector<const Constant*> constants;
  for (ValueId input : inputs) {
    constants.push_back(input.valid() ? value(input).constant.get() : nullptr);
  }
  InferContext asked = infer_context(node.view);
  for (std::size_t o = 0; o < outputs->size(); ++o) {
    asked.outputs[o] = at_bounds(graph_, (*outputs)[o]);
  }
  return target.supports(asked, constants);
}

ValueId Editor::add_constant(std::string name, Tensor tensor) {
  const ValueId id = graph_.add_constant(std::move(name), std::move(tensor));
  reads_.resize(graph_.value_count());
  return id;
}

ValueId Editor::add_constant(std::shared_ptr<const Constant> constant) {
  const ValueId id = graph_.add_constant(std::move(constant));
  reads_.resize(graph_.value_count());
  return id;
}

void Editor::set_input(NodeId id, std::size_t slot, ValueId value) {
  ValueId& input = graph_.node(id).inputs[slot];
  // A dead node reads nothing any more.
  if (graph_.node(id).dead) return;
  if (input.valid()) unlink(use_at(id, slot), input);
  input = value;
  if (value.valid()) link(use_at(id, slot), value);
  changed_ = true;
}

void Editor::remove_inputs(NodeId id, const std::vector<bool>& drop) {
  auto& inputs = graph_.node(id).inputs;
  std::size_t kept = 0;
  for (std::size_t slot = 0; slot < inputs.size(); ++slot) {
    const ValueId input = inputs[slot];
    if (drop[slot] || kept != slot) set_input(id, slot, kNoValue);
    if (drop[slot]) continue;
    if (kept != slot) set_input(id, kept, input);
    ++kept;
  }
  inputs.resize(kept);
  changed_ = true;
}

void Editor::replace(ValueId from, ValueId to, bool keep_name) {
  if (from == to) return;
  while (reads(from).first >= 0) {
    const Use& use = uses_[at(reads(from).first)];
    set_input(use.user, static_cast<std::size_t>(use.slot), to);
  }
  const std::size_t outputs = graph_.outputs().size();
  while (reads(from).first_root >= 0) {
    const std::size_t root = at(reads(from).first_root);
    reads(from).first_root = next_root_[root];
    if (root < outputs) {
      graph_.set_output(root, to);
    } else {
      graph_.set_state_update(root - outputs, to);
    }
    add_root(root, to);
  }
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
                     [&](ValueId id) { return !id.valid() || !is_read(id); });
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
    for (std::size_t slot = 0; slot < dying.inputs.size(); ++slot) {
      const ValueId input = dying.inputs[slot];
      if (!input.valid()) continue;
      unlink(use_at(next, slot), input);
      if (graph_.value(input).producer.valid()) left.push_back(graph_.value(input).producer);
    }
  }
}

void Editor::finish() {
  if (!inserted_.empty()) graph_.insert_nodes(inserted_);
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
