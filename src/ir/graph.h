#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/edit_vector.h"
#include "ir/attrs.h"
#include "ir/constant.h"
#include "ir/ids.h"
#include "ir/op_def.h"
#include "ir/state.h"
#include "ir/symbol_table.h"
#include "tensor/tensor.h"

namespace polaris {

struct Value {
  TensorType type;
  std::string name;
  NodeId producer;                           // invalid for graph inputs, constants and states
  std::int32_t output_index = 0;             // which output of the producer
  std::shared_ptr<const Constant> constant;  // set for constants only
};

class Graph;

struct Node {
  const OpDef* op = nullptr;
  std::unique_ptr<Attrs> attrs;
  EditVector<ValueId> inputs;   // kNoValue: absent
  EditVector<ValueId> outputs;  // kNoValue: unused
  /// What control flow runs (ir/control.h says how): If's branches, Loop's body. A subgraph sees
  /// nothing outside itself: what ONNX captures implicitly is an explicit extra input of the node,
  /// after the op's own inputs, and an extra input of each subgraph, in the same order after the
  /// subgraph's own inputs. Dims use the ids of the outermost graph's symbol table, which subgraphs
  /// share. Calls of one function share its graph; any other graph belongs to one node.
  EditVector<std::shared_ptr<Graph>> subgraphs;
  std::string name;
  std::int32_t device = -1;  // placed on this one of a runtime's devices; -1: not placed, any
  bool dead = false;

  template <class A>
  const A& attrs_as() const {
    return static_cast<const A&>(*attrs);
  }
};

/// A model's state as one graph uses it. All updates happen at once, at the end of a run.
struct StateUse {
  std::shared_ptr<const State> state;
  ValueId read;    // the value that nodes read; no producer; its type may hold symbols
  ValueId update;  // the value that replaces it; may equal read
};

/// Loose nodes on their way into the order of a graph, each right before a node that stands there
/// or is in here too. Adding one costs the same however large the graph is.
class Insertions {
 public:
  void add(NodeId before, NodeId node);
  bool empty() const { return count_ == 0; }

 private:
  friend class Graph;
  IdVector<NodeId, NodeId> previous_;  // the loose node that goes right before each
  std::size_t count_ = 0;
};

/// Nodes in a topological order over typed values. Editing keeps ids stable, and references to
/// nodes, values and symbols valid: removed nodes are marked dead until compact(). References into
/// lists (order(), a node's inputs ...) last until something is added to the list. No call that a
/// pass makes once per node or value costs more in a larger graph; pass/editor.h keeps users in
/// step.
class Graph {
 public:
  Graph() : symbols_(std::make_shared<SymbolTable>()) {}
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;
  /// A deep copy; constants stay shared. What calls share is copied once.
  Graph clone() const;
  /// A copy that stands beside this graph: it has its symbols, and calls the same graphs.
  Graph clone_beside() const;

  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(std::shared_ptr<const Constant> constant);
  ValueId add_constant(std::string name, Tensor tensor);
  /// A state whose initial value is `initial` or zeros; returns the value to read.
  ValueId add_state(std::string name, TensorType type, std::shared_ptr<const Constant> initial,
                    bool paged);
  /// A state that the model has already, read as `type` in this graph's symbols.
  ValueId add_state(std::shared_ptr<const State> state, std::string value_name, TensorType type);
  std::int64_t add_symbol(Symbol symbol);  // the id of an equal name if there is one

  /// Appends a node with `output_count` fresh outputs named after it (or `output_names`). Types are
  /// not inferred; see infer_node. Null attrs: the op's defaults.
  NodeId add_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                  int output_count, std::string name);
  /// As add_node, but the node stands nowhere in the order until insert_nodes() puts it there.
  NodeId add_loose_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                        int output_count, std::string name);
  /// Gives the loose nodes their places, in one sweep that allocates nothing; empties `insertions`.
  void insert_nodes(Insertions& insertions);
  void mark_output(ValueId value, std::string name);

  std::size_t node_count() const { return nodes_.size(); }
  std::size_t value_count() const { return values_.size(); }
  IdRange<ValueId> value_ids() const { return values_.ids(); }
  Node& node(NodeId id) { return *nodes_[id]; }
  const Node& node(NodeId id) const { return *nodes_[id]; }
  Value& value(ValueId id) { return values_[id]; }
  const Value& value(ValueId id) const { return values_[id]; }
  /// Live nodes in topological order.
  const std::vector<NodeId>& order() const { return order_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  const std::vector<StateUse>& states() const { return states_; }
  std::vector<StateUse>& states() { return states_; }
  /// These two are linear: for a question or two, not for one per value.
  std::optional<ValueId> find_input(std::string_view name) const;
  bool is_output(ValueId value) const;
  const std::deque<Symbol>& symbols() const { return symbols_->all(); }
  std::optional<std::int64_t> find_symbol(std::string_view symbol) const {
    return symbols_->find(symbol);
  }
  /// Takes the symbol table of `other`, an enclosing graph: what either adds, both have. The caller
  /// sees to it that the dims in use still fit.
  void share_symbols(const Graph& other) { symbols_ = other.symbols_; }
  bool shares_symbols(const Graph& other) const { return symbols_ == other.symbols_; }

  /// Every read of value v (nodes, outputs, state updates) becomes one of to[v], where that is
  /// valid. One sweep.
  void replace_uses(const IdVector<ValueId, ValueId>& to);
  /// Removes nodes whose outputs nobody reads, in one sweep over the order.
  void remove_nodes(std::span<const NodeId> ids);
  /// Drops the inputs whose `drop` is set (their values stay); for subgraphs whose captures nobody
  /// reads.
  void remove_inputs(const std::vector<bool>& drop);
  void set_output(std::size_t index, ValueId value) { outputs_[index] = value; }
  void set_state_update(std::size_t index, ValueId value) { states_[index].update = value; }
  /// Sorts the order topologically (stable). Errors: invalid where the graph has a cycle.
  Status sort();
  /// Drops dead nodes and unread constants; ids change.
  void compact();

  /// How often something went over the whole graph: the calls above that say so, and whatever says
  /// count_sweep(). Work that does so once per edit is not linear.
  std::int64_t sweeps() const { return sweeps_; }
  void count_sweep() { ++sweeps_; }

  std::string name;

 private:
  struct Cloning;
  Graph clone(std::shared_ptr<SymbolTable> symbols, Cloning& cloning) const;
  NodeId make_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                   int output_count, std::string name);
  // Nodes and values never move (docs/adr/0037).
  IdVector<NodeId, std::unique_ptr<Node>> nodes_;
  IdVector<ValueId, Value, std::deque<Value>> values_;
  EditVector<NodeId> order_;
  EditVector<ValueId> inputs_;
  EditVector<ValueId> outputs_;
  EditVector<std::string> output_names_;
  EditVector<StateUse> states_;
  std::int64_t sweeps_ = 0;
  std::shared_ptr<SymbolTable> symbols_;  // one for a graph and all that are nested in it
};

/// Runs `infer` of one node on its inputs' types and writes its outputs' types.
Status infer_node(Graph& graph, NodeId id);
/// infer_node over the order, with shape data followed through foldable integer ops of at most
/// 1024 elements, so that Shape -> Gather -> Concat -> Reshape gives static or symbolic shapes.
/// Subgraphs included. ir/infer.h has a form that hands out the host values found on the way.
Status infer_graph(Graph& graph);

}  // namespace polaris
