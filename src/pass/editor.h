#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"
#include "pass/pass.h"

namespace polaris {

/// Edits a graph and keeps the uses of every value in step. Removed nodes leave the graph's order
/// when finish() is called (or the editor dies), so loops over a copy of the order skip dead nodes.
class Editor {
 public:
  Editor(Graph& graph, const OpSet& ops);
  ~Editor() { finish(); }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  Graph& graph() { return graph_; }
  Node& node(NodeId id) { return graph_.node(id); }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Value& value(ValueId id) const { return graph_.value(id); }
  const TensorType& type(ValueId id) const { return graph_.value(id).type; }
  const OpSet& ops() const { return ops_; }
  bool changed() const { return changed_; }
  /// Says that the graph was changed behind the editor's back.
  void mark_changed() { changed_ = true; }

  /// Reads of a value: input slots, graph outputs and state updates.
  std::int64_t use_count(ValueId id) const;
  /// Whether nodes alone read it.
  bool is_internal(ValueId id) const;
  /// The one node that reads it, in one slot, where nothing else does; else invalid.
  NodeId only_user(ValueId id) const;
  /// Nodes that read it; a node stands there once per slot.
  const std::vector<NodeId>& users(ValueId id) const;
  /// The node that makes the value if its op is `name`; else null.
  const Node* producer(ValueId id, std::string_view name, std::string_view domain = "") const;
  /// The plain tensor of a constant value, or null.
  const Tensor* constant(ValueId id) const;

  /// Adds a node of `op` ("Name" or "domain.Name") before `before` and infers it; its outputs are
  /// named after it. Errors: unsupported (no such op), what infer says.
  Result<NodeId> add(NodeId before, std::string_view op, std::vector<ValueId> inputs,
                     std::string name, std::unique_ptr<Attrs> attrs = nullptr,
                     int output_count = 1);
  /// The output types that such a node would have, or nothing where infer refuses it.
  std::optional<std::vector<TensorType>> types_of(std::string_view op,
                                                  const std::vector<ValueId>& inputs,
                                                  const Attrs* attrs = nullptr,
                                                  int output_count = 1) const;
  /// Whether such a node is well formed and the target runs it. Symbols stand at their bounds.
  bool runs(const Target& target, std::string_view op, const std::vector<ValueId>& inputs,
            const Attrs* attrs = nullptr, int output_count = 1) const;
  ValueId add_constant(std::string name, Tensor tensor);
  ValueId add_constant(std::shared_ptr<const Constant> constant);
  void set_input(NodeId id, std::size_t slot, ValueId value);
  /// Every read of `from` becomes one of `to`; `to` takes its name where it has a producer and
  /// `keep_name` is not set.
  void replace(ValueId from, ValueId to, bool keep_name = false);
  /// Whether `to` may stand for `from` everywhere: not where `from` is a graph output (or a state's
  /// update) and `to` is an input, constant, state or an output already.
  bool may_replace(ValueId from, ValueId to) const;
  /// Removes the node, if nothing reads its outputs, and then those before it that only it read.
  void remove_if_dead(NodeId id);
  void finish();

 private:
  void count_reads();
  void drop_use(ValueId value, NodeId user);
  bool is_dead(const Node& node) const;

  Graph& graph_;
  const OpSet& ops_;
  std::vector<std::vector<NodeId>> users_;  // by value
  std::vector<std::int32_t> roots_;         // by value: graph outputs and state updates
  std::vector<NodeId> removed_;
  bool changed_ = false;
};

/// Adds `node` and returns its first output, for rewrites of one result.
Result<ValueId> add_value(Editor& editor, NodeId before, std::string_view op,
                          std::vector<ValueId> inputs, std::string name,
                          std::unique_ptr<Attrs> attrs = nullptr);
/// Replaces the first output of `old` by that of a new node put before it; `old` goes.
Result<ValueId> replace_node(Editor& editor, NodeId old, std::string_view op,
                             std::vector<ValueId> inputs, std::unique_ptr<Attrs> attrs = nullptr);

}  // namespace polaris
