#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/op_set.h"

namespace polaris {

/// What passes know of one device. The session makes one from each of its devices; the default is a
/// host that runs every op and knows no fused chains.
struct Target {
  /// Whether the device has a kernel for a node with these types (static, or with symbols at their
  /// bounds), as infer left it, whose inputs are these constants (null: none); empty: yes.
  std::function<bool(const InferContext& node, std::span<const Constant* const> constants)>
      supports;
  /// Largest operand of one kernel; larger constants are split.
  std::int64_t binding_bytes_max = std::numeric_limits<std::int64_t>::max();
  /// Whether polaris.Chain runs as one kernel, so that fusing pays.
  bool fuses_chains = false;
  /// Whether what stands around products and attention runs as part of them: launches that wait for
  /// each other cost more than what they do. Such ops have kernels there, and no fast ones
  /// elsewhere.
  bool fuses_stages = false;
};

/// The devices of a graph whose nodes are placed (Node::device). Of a graph that is not placed, all
/// nodes are the first's.
class Targets {
 public:
  Targets(Target all) { targets_.push_back(std::move(all)); }  // NOLINT: one device is all devices
  explicit Targets(std::vector<Target> targets) : targets_(std::move(targets)) {}
  const Target& of(std::int32_t device) const {
    const auto at = static_cast<std::size_t>(device);
    return device >= 0 && at < targets_.size() ? targets_[at] : targets_.front();
  }

 private:
  std::vector<Target> targets_;  // at least one
};

/// Nodes that are not placed (what is computed from constants alone) go with any other.
inline bool may_fuse(const Node& a, const Node& b) {
  return a.device < 0 || b.device < 0 || a.device == b.device;
}

/// One rewrite of a graph. It works on one graph; the runner takes it through the subgraphs.
/// What it builds is inferred; it keeps the order topological and the graph's inputs, outputs and
/// states as they are. It fuses only nodes of one device, for what that device runs. Returns
/// whether anything changed.
struct Pass {
  std::string_view name;
  std::string_view doc;
  Result<bool> (*run)(Graph& graph, const Targets& targets, const OpSet& ops);
  bool per_device = false;  // asks what a device runs: nodes are placed before the first of these
  /// The ops ("Name" or "domain.Name") without any of which it changes nothing of a graph; it is
  /// not run on such a graph. Empty: it looks at every op.
  std::span<const std::string_view> starts_at = {};
  /// It reads no rank but those of constants: it is run on graphs in which some are open, too.
  bool takes_any_rank = false;
};

}  // namespace polaris
