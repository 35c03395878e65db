#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "ir/control.h"
#include "ir/graph.h"
#include "ir/knowledge.h"

/// The parts of infer_graph; for ir/infer*.cc alone.
namespace polaris {

using Types = std::vector<TensorType>;

/// A graph that several nodes run: it has one set of types, which must hold for all of them.
struct CalledGraph {
  std::weak_ptr<Graph> graph;
  Types joined;                                // of its inputs, over all calls seen
  std::vector<std::pair<Types, Types>> known;  // its outputs' types by its inputs'
  int by_value = 0;                            // inferences that used what values are known
};

/// Copies of one called graph, each for calls whose element types and ranks are alike.
using CalledFamily = std::deque<CalledGraph>;

/// What all nested graphs of one inference share.
struct SharedInference {
  /// Of graphs_within() a root, of which it is the last.
  explicit SharedInference(const std::vector<Graph*>& graphs);

  KnowledgeBudget knowledge;
  std::int64_t steps_left = 0;
  std::map<const Graph*, long> calls;  // nodes within the root that run the graph
  std::map<const Graph*, std::size_t> family_of;
  std::deque<CalledFamily> families;
};

class Inference {
 public:
  Inference(Graph& graph, SharedInference& shared, int depth)
      : graph_(graph), shared_(shared), depth_(depth), knowledge_(graph, shared.knowledge) {}

  Knowledge& knowledge() { return knowledge_; }
  Status run();
  Status run_node(NodeId id, bool track);

 private:
  using Hosts = std::span<const HostValue* const>;  // by input of a region; null: nothing is known

  Result<Types> infer_outputs(const Node& node);
  Result<Types> infer_any_rank(const Node& node, InferContext& context);

  // Control flow: infer_control.cc.
  Result<Types> infer_control(Node& node);
  Result<Types> infer_choice(Node& node, const ControlView& view);
  Result<Types> infer_rounds(Node& node, const ControlView& view);
  Result<std::int64_t> rounds_of(const ControlView& view, std::span<const TensorType> operands);
  Result<Types> input_types(const ControlView& view, const Region& region,
                            std::span<const TensorType> operands);
  Result<Types> infer_region(Node& node, const ControlView& view, int region,
                             std::span<const TensorType> operands);

  // Graphs that nodes run: infer_region.cc.
  Result<Types> infer_graph_of(Node& node, std::shared_ptr<Graph>& graph, const Types& inputs,
                               Hosts hosts);
  Result<Types> infer_owned(const Node& node, Graph& graph, const Types& inputs, Hosts hosts);
  Result<Types> infer_called(Node& node, std::shared_ptr<Graph>& graph, const Types& inputs,
                             Hosts hosts);
  CalledGraph& called_with(std::shared_ptr<Graph>& graph, const Types& inputs);

  Graph& graph_;
  SharedInference& shared_;
  int depth_;
  Knowledge knowledge_;
};

}  // namespace polaris
