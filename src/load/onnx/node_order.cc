#include "load/onnx/node_order.h"

#include <map>
#include <set>
#include <string>

#include "base/strings.h"
#include "load/onnx/importer.h"

namespace polaris::onnx {
namespace {

/// Depth-first, with a stack of its own: a file may chain as many nodes as it likes.
class NodeOrder {
 public:
  explicit NodeOrder(const GraphDef& def) : def_(def) {}

  Result<std::vector<const NodeDef*>> run() {
    if (Status s = find_makers(); !s) return s.error();
    find_reads();
    mark_needed();
    for (std::size_t i = 0; i < def_.nodes.size(); ++i) {
      if (!needed_[i] || state_[i] == State::kPlaced) continue;
      if (Status s = place(i); !s) return s.error();
    }
    return std::move(order_);
  }

 private:
  enum class State : std::uint8_t { kNew, kOpen, kPlaced };

  Status find_makers() {
    std::set<std::string_view> given;
    for (const ValueDef& input : def_.inputs) given.insert(input.name);
    for (const TensorDef& tensor : def_.initializers) given.insert(tensor.name);
    for (std::size_t i = 0; i < def_.nodes.size(); ++i) {
      for (std::string_view name : def_.nodes[i].outputs) {
        if (name.empty()) continue;
        if (given.contains(name) || !makers_.emplace(name, i).second) {
          return Error::invalid(node_label(def_.nodes[i]) + "its output '" + printable(name) +
                                "' is defined twice");
        }
      }
    }
    return Status::success();
  }

  void find_reads() {
    const auto read = [&](std::size_t reader, std::string_view name) {
      const auto maker = makers_.find(name);
      if (maker != makers_.end()) reads_[reader].push_back(maker->second);
    };
    reads_.resize(def_.nodes.size());
    for (std::size_t i = 0; i < def_.nodes.size(); ++i) {
      for (std::string_view name : def_.nodes[i].inputs) read(i, name);
      for (const AttrDef& attr : def_.nodes[i].attributes) {
        if (!attr.graph) continue;
        for (std::string_view name : free_names(*attr.graph)) read(i, name);
      }
    }
  }

  void mark_needed() {
    needed_.resize(def_.nodes.size(), false);
    std::vector<std::size_t> open;
    const auto need = [&](std::size_t i) {
      if (needed_[i]) return;
      needed_[i] = true;
      open.push_back(i);
    };
    for (const ValueDef& output : def_.outputs) {
      const auto maker = makers_.find(output.name);
      if (maker != makers_.end()) need(maker->second);
    }
    while (!open.empty()) {
      const std::size_t i = open.back();
      open.pop_back();
      for (std::size_t maker : reads_[i]) need(maker);
    }
    state_.resize(def_.nodes.size(), State::kNew);
  }

  Status place(std::size_t root) {
    struct Visit {
      std::size_t node;
      std::size_t next;  // index into its reads
    };
    std::vector<Visit> stack{{root, 0}};
    state_[root] = State::kOpen;
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next == reads_[top.node].size()) {
        state_[top.node] = State::kPlaced;
        order_.push_back(&def_.nodes[top.node]);
        stack.pop_back();
        continue;
      }
      const std::size_t maker = reads_[top.node][top.next++];
      if (state_[maker] == State::kOpen) {
        return Error::invalid(node_label(def_.nodes[maker]) + "it needs its own result");
      }
      if (state_[maker] == State::kPlaced) continue;
      state_[maker] = State::kOpen;
      stack.push_back({maker, 0});
    }
    return Status::success();
  }

  const GraphDef& def_;
  std::map<std::string_view, std::size_t> makers_;
  std::vector<std::vector<std::size_t>> reads_;
  std::vector<bool> needed_;
  std::vector<State> state_;
  std::vector<const NodeDef*> order_;
};

}  // namespace

Result<std::vector<const NodeDef*>> nodes_in_order(const GraphDef& def) {
  return NodeOrder(def).run();
}

}  // namespace polaris::onnx
