#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/tuning.h"

/// What the kernel families of all backends are, and how their offers are gathered.
namespace polaris {

/// The kernels of one file of a backend's kernel/: `extern const KernelFamily family_<stem>`.
template <class Target>
struct KernelFamily {
  std::string_view name;
  /// Ops it may serve, as op_full_name gives them ("MatMul", "polaris.Linear"). An op may be named
  /// by several families: all of them are asked.
  std::span<const std::string_view> ops;
  /// Kernels for a node, the family's own choice first; others where one of them may be the fastest
  /// on some device. Of one name, they have variants. Errors: unsupported, with the reason.
  Result<KernelList> (*candidates)(const Target& target, const NodeDesc& node) = nullptr;
  /// Those of `ops` that may be offered with their kSpatial operands channels-last; all other nodes
  /// come row-major.
  std::span<const std::string_view> channels_last = {};
  /// Serves every op that says which elements move (OpDef::move), and no other family does.
  bool moves = false;
};

/// `candidates` of a family with one kernel a node: one_kernel<select>.
template <auto kSelect, class Target>
Result<KernelList> one_kernel(const Target& target, const NodeDesc& node) {
  auto kernel = kSelect(target, node);
  if (!kernel) return kernel.error();
  KernelList list;
  list.push_back(kernel.take());
  return list;
}

bool has_op(std::span<const std::string_view> ops, std::string_view name);
/// Whether the node has input `i` and it is there.
bool has_input(const NodeDesc& node, std::size_t i);
/// The integers of input `i` where the planner knows them; an absent input gives none. Nothing
/// where the input is there but not known, or encoded.
std::optional<std::vector<std::int64_t>> known_ints(const NodeDesc& node, std::size_t i);

/// `[Op] node 'x' on <backend>: what`, as an unsupported error; without "on" where it is "".
Error refuse_on(std::string_view backend, const NodeDesc& node, std::string_view what);

/// Why no family takes a node: each one's reason once.
class Refusals {
 public:
  Refusals(std::string_view backend, const NodeDesc& node);
  void add(const Error& error);
  void add(std::string_view reason);
  bool empty() const { return text_.empty(); }
  Error error() const { return refuse_on(backend_, node_, text_); }

 private:
  std::string_view backend_;
  NodeDesc node_;
  std::string prefix_;
  std::string text_;
};

/// Which families may serve an op, in the registry's order.
template <class Family>
class FamilyTable {
 public:
  explicit FamilyTable(std::span<const Family* const> families) {
    for (const Family* family : families) {
      for (std::string_view op : family->ops) by_op_[op].push_back(family);
      if (family->moves) movers_.push_back(family);
    }
  }
  std::span<const Family* const> of(const OpDef& op) const {
    if (op.move != nullptr) return movers_;
    const auto found = by_op_.find(op_full_name(op));
    if (found == by_op_.end()) return {};
    return found->second;
  }

 private:
  std::unordered_map<std::string_view, std::vector<const Family*>> by_op_;
  std::vector<const Family*> movers_;
};

/// What all families offer for a node in its layout: the kernels of the family whose first has the
/// lowest estimate, then those of the others. None where no family takes it; `refusals` then says
/// why. `finish(kernel)` fills in estimates and says whether the device runs it.
/// Errors: what is no matter of one family (spatial_layout's), or of support.
template <class Family, class Target, class Finish>
Result<KernelList> gather_kernels(const FamilyTable<Family>& families, const Target& target,
                                  const NodeDesc& node, Refusals& refusals, const Finish& finish) {
  const Result<Layout> layout = spatial_layout(node);
  if (!layout) return layout.error();
  KernelList out;
  for (const Family* family : families.of(*node.op)) {
    if (*layout == Layout::kChannelsLast &&
        !has_op(family->channels_last, op_full_name(*node.op))) {
      refusals.add("no kernel takes it channels-last");
      continue;
    }
    Result<KernelList> offered = family->candidates(target, node);
    if (!offered) {
      if (offered.error().code() != ErrorCode::kUnsupported) return offered.error();
      refusals.add(offered.error());
      continue;
    }
    KernelList fit;
    for (auto& kernel : *offered) {
      const Status finished = finish(*kernel);
      if (!finished) refusals.add(finished.error());
      if (finished) fit.push_back(std::move(kernel));
    }
    if (fit.empty()) continue;
    const bool better = !out.empty() && fit.front()->estimate_us < out.front()->estimate_us;
    out.insert(better ? out.begin() : out.end(), fit.begin(), fit.end());
  }
  return out;
}

}  // namespace polaris
