#pragma once
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"
#include "pass/pass.h"

namespace polaris {

/// A read of a value: by input `slot` of `user`.
struct Use {
  NodeId user;
  std::int32_t slot = 0;
  std::int32_t previous = -1;  // among the reads of the same value
  std::int32_t next = -1;
};

/// The nodes that read a value, once per slot, in the order in which the reads came.
class Users {
 public:
  class Iterator {
   public:
    using value_type = NodeId;
    using difference_type = std::ptrdiff_t;
    using pointer = const NodeId*;
    using reference = NodeId;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    Iterator(const std::vector<Use>* uses, std::int32_t at) : uses_(uses), at_(at) {}
    NodeId operator*() const { return (*uses_)[static_cast<std::size_t>(at_)].user; }
    Iterator& operator++() {
      at_ = (*uses_)[static_cast<std::size_t>(at_)].next;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    const std::vector<Use>* uses_ = nullptr;
    std::int32_t at_ = -1;
  };
  Users(const std::vector<Use>& uses, std::int32_t first) : uses_(&uses), first_(first) {}
  Iterator begin() const { return {uses_, first_}; }
  Iterator end() const { return {uses_, -1}; }

 private:
  const std::vector<Use>* uses_;
  std::int32_t first_;
};

/// Edits a graph and keeps the uses of every value in step, each edit in time that does not grow
/// with the graph. Added nodes enter the graph's order, and removed ones leave it, when finish() is
/// called (or the editor dies), so loops over the order skip dead nodes.
class Editor {
 public:
  Editor(Graph& graph, const OpSet& ops);
  ~Editor() { finish(); }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  Node& node(NodeId id) { return graph_.node(id); }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Value& value(ValueId id) const { return graph_.value(id); }
  const TensorType& type(ValueId id) const { return graph_.value(id).type; }
  const OpSet& ops() const { return ops_; }
  bool changed() const { return changed_; }
  /// Says that the graph was changed behind the editor's back.
  void mark_changed() { changed_ = true; }

  /// Whether anything reads the value: nodes, graph outputs, state updates.
  bool is_read(ValueId id) const { return reads(id).count > 0 || !is_internal(id); }
  /// Whether nodes alone read it.
  bool is_internal(ValueId id) const;
  /// The one node that reads it, in one slot, where nothing else does; else invalid. Invalid where
  /// it is out of focus.
  NodeId only_user(ValueId id) const;
  /// Nodes that read it, in focus or not; a node stands there once per slot. Editing ends the
  /// range.
  Users users(ValueId id) const;
  /// The node that makes the value if its op is `name`; else null. Null where it is out of focus.
  const Node* producer(ValueId id, std::string_view name, std::string_view domain = "") const;
  /// The plain tensor of a constant value, or null.
  const Tensor* constant(ValueId id) const;

  /// A rewrite works on one device: from here on producer() and only_user() see what may be fused
  /// with `id`, and runs() asks its device.
  void focus(NodeId id) { device_ = graph_.node(id).device; }
  bool in_focus(const Node& node) const {
    return device_ < 0 || node.device < 0 || node.device == device_;
  }

  /// Adds a node of `op` ("Name" or "domain.Name") before `before` and infers it; its outputs are
  /// named after it; it is placed as `before`. Errors: unsupported (no such op), what infer says.
  Result<NodeId> add(NodeId before, std::string_view op, std::vector<ValueId> inputs,
                     std::string name, std::unique_ptr<Attrs> attrs = nullptr,
                     int output_count = 1);
  /// The output types that such a node would have, or nothing where infer refuses it.
  std::optional<std::vector<TensorType>> types_of(std::string_view op,
                                                  const std::vector<ValueId>& inputs,
                                                  const Attrs* attrs = nullptr,
                                                  int output_count = 1) const;
  /// Whether such a node is well formed and the device in focus runs it. Symbols stand at their
  /// bounds.
  bool runs(const Targets& targets, std::string_view op, const std::vector<ValueId>& inputs,
            const Attrs* attrs = nullptr, int output_count = 1) const;
  ValueId add_constant(std::string name, Tensor tensor);
  ValueId add_constant(std::shared_ptr<const Constant> constant);
  void set_input(NodeId id, std::size_t slot, ValueId value);
  /// Takes out the input slots whose `drop` is set; later ones move up.
  void remove_inputs(NodeId id, const std::vector<bool>& drop);
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
  /// The uses of a value, first to last.
  struct Reads {
    std::int32_t first = -1;
    std::int32_t last = -1;
    std::int32_t count = 0;
    std::int32_t first_root = -1;  // into next_root_
  };
  Reads& reads(ValueId id) { return reads_[id]; }
  const Reads& reads(ValueId id) const { return reads_[id]; }
  void add_uses(NodeId id);
  void add_root(std::size_t root, ValueId value);
  void link(std::int32_t use, ValueId value);
  void unlink(std::int32_t use, ValueId value);
  std::int32_t use_at(NodeId id, std::size_t slot) const {
    return first_use_[id] + static_cast<std::int32_t>(slot);
  }
  bool is_dead(const Node& node) const;

  Graph& graph_;
  const OpSet& ops_;
  IdVector<ValueId, Reads, EditVector<Reads>> reads_;
  EditVector<Use> uses_;  // those of a node stand together, by slot
  // Where the uses of each node begin.
  IdVector<NodeId, std::int32_t, EditVector<std::int32_t>> first_use_;
  // Graph outputs and then state updates: the next that reads the same value, or -1.
  EditVector<std::int32_t> next_root_;
  Insertions inserted_;
  std::vector<NodeId> removed_;
  std::int32_t device_ = -1;
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
