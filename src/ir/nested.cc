#include "ir/nested.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace polaris {
namespace {

std::vector<const Graph*> graphs_in(const Graph& graph) {
  std::vector<const Graph*> out;
  for (NodeId id : graph.order()) {
    for (const auto& sub : graph.node(id).subgraphs) out.push_back(sub.get());
  }
  return out;
}

/// Depth first with a stack of its own: graphs that call each other may be chained without end.
class Walk {
 public:
  void run(const Graph& root) {
    open(root);
    while (!stack_.empty()) {
      Visit& top = stack_.back();
      if (top.next == top.graphs.size()) {
        height_[top.graph] = top.height;
        out.push_back(top.graph);
        const int height = top.height;
        stack_.pop_back();
        if (!stack_.empty()) rise(stack_.back(), height + 1);
        continue;
      }
      const Graph* next = top.graphs[top.next++];
      const auto seen = height_.find(next);
      if (seen == height_.end()) {
        open(*next);
      } else if (seen->second < 0) {
        cycle = next;
      } else {
        rise(top, seen->second + 1);
      }
    }
  }

  std::vector<const Graph*> out;
  const Graph* cycle = nullptr;  // one that runs itself
  int height() const { return height_.at(out.back()); }

 private:
  struct Visit {
    const Graph* graph;
    std::vector<const Graph*> graphs;
    std::size_t next = 0;
    int height = 0;
  };
  void open(const Graph& graph) {
    height_[&graph] = -1;
    stack_.push_back({&graph, graphs_in(graph)});
  }
  static void rise(Visit& visit, int height) { visit.height = std::max(visit.height, height); }

  std::unordered_map<const Graph*, int> height_;  // -1: on the stack
  std::vector<Visit> stack_;
};

/// They hang on a graph that the caller may change.
std::vector<Graph*> changeable(const std::vector<const Graph*>& graphs) {
  std::vector<Graph*> out;
  out.reserve(graphs.size());
  for (const Graph* graph : graphs) out.push_back(const_cast<Graph*>(graph));
  return out;
}

Status check(const Walk& walk) {
  if (walk.cycle != nullptr) {
    return Error::invalid("[graph] '" + walk.cycle->name + "' runs itself");
  }
  if (walk.height() > kGraphDepthMax) {
    return Error::invalid("[graph] subgraphs nested deeper than " + std::to_string(kGraphDepthMax));
  }
  return Status::success();
}

}  // namespace

std::vector<const Graph*> graphs_within(const Graph& root) {
  Walk walk;
  walk.run(root);
  return std::move(walk.out);
}

std::vector<Graph*> graphs_within(Graph& root) {
  return changeable(graphs_within(std::as_const(root)));
}

Result<std::vector<Graph*>> checked_graphs_within(Graph& root) {
  Walk walk;
  walk.run(root);
  if (auto status = check(walk); !status) return status.error();
  return changeable(walk.out);
}

Status check_nesting(const Graph& root) {
  Walk walk;
  walk.run(root);
  return check(walk);
}

}  // namespace polaris
