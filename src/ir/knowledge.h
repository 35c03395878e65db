#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "ir/size_form.h"

namespace polaris {

/// What is known of a value at load time, whatever sizes the dims of the inputs take.
struct HostValue {
  Tensor data;                  // null: nothing is known
  std::vector<SizeForm> forms;  // one an element where some are no numbers, which are 1 in data

  bool is_known() const { return static_cast<bool>(data) && forms.empty(); }
  bool is_partial() const { return static_cast<bool>(data) && !forms.empty(); }
};

/// What all nested graphs of one inference share.
struct KnowledgeBudget {
  std::int64_t symbol_count = 0;  // ids from here on stand for dims without a symbol
  std::int64_t next_id = 0;
  std::int64_t bytes_left = std::int64_t{64} << 20;  // of what is kept beside constants
};

/// What is known of the values of one graph: constants, and what foldable ops make of constants and
/// of dims. Exact: it holds for every size, so it may fold values, choose branches and fix dims.
class Knowledge {
 public:
  Knowledge(const Graph& graph, KnowledgeBudget& budget)
      : graph_(graph), budget_(budget), values_(graph.value_count()) {}

  HostValue& host(ValueId id) { return values_[id]; }
  /// Where the value is a plain constant, its data is known.
  void load_constant(ValueId id);
  /// Learns the outputs of a node whose types stand in the graph.
  void track(const Node& node);
  /// The elements as infer reads them; empty where the value is not known in part.
  std::vector<KnownInt> partial(ValueId id) const;

 private:
  bool reads_data(const Node& node, std::size_t input) const {
    return node.inputs[input].valid() && !node.op->has_trait(kTypeOnly);
  }
  bool is_moved(const Node& node, std::size_t input) const;
  bool may_track(const Node& node);
  void evaluate_known(const Node& node);
  void move(const Node& node);
  void calculate(const Node& node);
  void compare(const Node& node);
  void keep(ValueId id, HostValue value);
  Tensor tags_of(const Node& node, std::size_t input, std::vector<SizeForm>& sources);
  SizeForm form_of(const HostValue& value, std::int64_t element) const;
  SizeForm form_of_dim(ValueId id, int dim);
  std::optional<std::vector<Tensor>> run(const Node& node,
                                         std::span<const Tensor* const> inputs) const;

  const Graph& graph_;
  KnowledgeBudget& budget_;
  IdVector<ValueId, HostValue> values_;
  std::map<std::pair<ValueId, int>, std::int64_t> unknown_ids_;
};

}  // namespace polaris
