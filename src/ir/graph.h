#pragma once
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attrs.h"
#include "ir/constant.h"
#include "ir/op_def.h"
#include "tensor/tensor.h"

namespace polaris {

struct ValueId {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend auto operator<=>(const ValueId&, const ValueId&) = default;
};
struct NodeId {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};
inline constexpr ValueId kNoValue{};

struct Value {
  TensorType type;
  std::string name;
  NodeId producer;                           // invalid for graph inputs, constants and states
  std::int32_t output_index = 0;             // which output of the producer
  std::shared_ptr<const Constant> constant;  // set for constants only
};

struct Node {
  const OpDef* op = nullptr;
  std::unique_ptr<Attrs> attrs;
  std::vector<ValueId> inputs;   // kNoValue: absent
  std::vector<ValueId> outputs;  // kNoValue: unused
  /// If: then, else. Loop, Scan: body. A subgraph sees nothing outside itself: what ONNX captures
  /// implicitly is an explicit extra input of the node, appended after the op's own inputs, and an
  /// extra input of each subgraph, in the same order after the subgraph's own inputs. So input 1 +
  /// i of If is input i of both branches, and input i >= 2 of Loop is input i of its body; how many
  /// of them are captures stands in LoopAttrs. Dims use the ids of the outermost graph's symbol
  /// table, of which subgraphs hold a copy.
  std::vector<std::unique_ptr<Graph>> subgraphs;
  std::string name;
  bool dead = false;

  template <class A>
  const A& attrs_as() const {
    return static_cast<const A&>(*attrs);
  }
};

/// A dim that is not a fixed size.
struct Symbol {
  enum class Kind : std::uint8_t {
    kFree,      // any size: one plan per size seen
    kBucketed,  // rounded up by its user to 1, 2, 4 ... bound: one plan per bucket
    kBounded,   // at most `bound`, known at run time: memory is planned at the bound
  };
  std::string name;
  Kind kind = Kind::kFree;
  std::int64_t bound = 0;  // kBucketed, kBounded
};

/// Memory that outlives a run: KV caches, LSTM carries, TFLite variables.
struct State {
  std::string name;
  TensorType type;                          // may hold symbols (cache pages)
  std::shared_ptr<const Constant> initial;  // null: zeros
  ValueId read;                             // the value that nodes read; no producer
  ValueId update;                           // the value that replaces it; may equal read
  bool paged = false;                       // bytes live in a KvPool, not in the Session
};

/// Nodes in a topological order over typed values. Editing keeps ids stable: removed nodes are
/// marked dead until compact().
class Graph {
 public:
  Graph() = default;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;
  /// A deep copy; constants stay shared.
  Graph clone() const;

  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(std::shared_ptr<const Constant> constant);
  ValueId add_constant(std::string name, Tensor tensor);
  /// A state whose initial value is `initial` or zeros; returns the value to read.
  ValueId add_state(std::string name, TensorType type, std::shared_ptr<const Constant> initial,
                    bool paged);
  std::int64_t add_symbol(Symbol symbol);  // the id of an equal name if there is one

  /// Appends a node with `output_count` fresh outputs named after it (or `output_names`). Types are
  /// not inferred; see infer_node. Null attrs: the op's defaults.
  NodeId add_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                  int output_count, std::string name);
  /// As add_node, but placed before `before` in the order.
  NodeId insert_node(NodeId before, const OpDef* op, std::unique_ptr<Attrs> attrs,
                     std::vector<ValueId> inputs, int output_count, std::string name);
  void mark_output(ValueId value, std::string name);

  std::size_t node_count() const { return nodes_.size(); }
  std::size_t value_count() const { return values_.size(); }
  Node& node(NodeId id) { return *nodes_[static_cast<std::size_t>(id.index)]; }
  const Node& node(NodeId id) const { return *nodes_[static_cast<std::size_t>(id.index)]; }
  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id.index)]; }
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id.index)]; }
  /// Live nodes in topological order.
  const std::vector<NodeId>& order() const { return order_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  const std::vector<State>& states() const { return states_; }
  std::vector<State>& states() { return states_; }
  const std::vector<Symbol>& symbols() const { return symbols_; }
  /// Replaces the table; the caller sees to it that the dims in use still fit.
  void set_symbols(std::vector<Symbol> symbols) { symbols_ = std::move(symbols); }
  std::optional<ValueId> find_input(std::string_view name) const;

  /// Nodes that read `value` (each once), in order. Linear in the graph; passes that need many
  /// build a UseMap once.
  std::vector<NodeId> users(ValueId value) const;
  bool is_output(ValueId value) const;
  bool is_state_update(ValueId value) const;
  /// Every read of `from` (nodes, outputs, state updates) becomes a read of `to`.
  void replace_uses(ValueId from, ValueId to);
  /// Removes a node whose outputs nobody reads.
  void remove_node(NodeId id);
  /// As remove_node for many, in one sweep over the order.
  void remove_nodes(std::span<const NodeId> ids);
  /// Drops input `index` (its value stays); for subgraphs whose capture nobody reads.
  void remove_input(std::size_t index) {
    inputs_.erase(inputs_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  void set_output(std::size_t index, ValueId value) { outputs_[index] = value; }
  void set_state_update(std::size_t index, ValueId value) { states_[index].update = value; }
  /// Sorts the order topologically (stable). Errors: invalid where the graph has a cycle.
  Status sort();
  /// Drops dead nodes and unread constants; ids change.
  void compact();

  std::string name;

 private:
  ValueId add_value(Value value);
  NodeId make_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                   int output_count, std::string name);
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Value> values_;
  std::vector<NodeId> order_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::vector<std::string> output_names_;
  std::vector<State> states_;
  std::vector<Symbol> symbols_;
};

/// Users of every value, built once per rewrite.
class UseMap {
 public:
  explicit UseMap(const Graph& graph);
  std::span<const NodeId> users(ValueId value) const {
    return users_[static_cast<std::size_t>(value.index)];
  }

 private:
  std::vector<std::vector<NodeId>> users_;
};

/// Runs `infer` of one node on its inputs' types and writes its outputs' types.
Status infer_node(Graph& graph, NodeId id);
/// infer_node over the order, with shape data followed through foldable integer ops of at most
/// 1024 elements, so that Shape -> Gather -> Concat -> Reshape gives static or symbolic shapes.
/// Subgraphs included. ir/infer.h has a form that hands out the host values found on the way.
Status infer_graph(Graph& graph);

}  // namespace polaris
