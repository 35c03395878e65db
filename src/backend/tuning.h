#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

/// Choosing among the kernels that were offered for a node: by what was measured on this device,
/// else by estimate.
namespace polaris {

/// Kernels that may run one node. The first is the one to take where nothing was measured.
using KernelList = std::vector<std::shared_ptr<Kernel>>;

/// Name and variant: what a kernel is called in a Tuning.
std::string kernel_id(const Kernel& kernel);

/// What a node is but for its name and the values of its constants: 32 hex digits. Nodes of one key
/// are offered the same kernels and run them in the same time.
std::string node_key(const NodeDesc& node);

/// The fastest kernel of each node that was measured, by node_key().
class Tuning {
 public:
  void set(std::string node, std::string kernel) { kernels_[std::move(node)] = std::move(kernel); }
  void erase(std::string_view node);
  /// Null where the node was not measured, or its usual kernel is the fastest.
  const std::string* find(std::string_view node) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return kernels_; }

 private:
  std::map<std::string, std::string, std::less<>> kernels_;
};

/// A device's tuning, replaced while others select by it. Thread-safe.
class TuningSlot {
 public:
  void set(std::shared_ptr<const Tuning> tuning) {
    const std::lock_guard lock(mutex_);
    tuning_ = std::move(tuning);
  }
  std::shared_ptr<const Tuning> get() const {
    const std::lock_guard lock(mutex_);
    return tuning_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Tuning> tuning_;
};

/// The kernel to take of `offered`, which holds at least one: that of `tuning` where it names one
/// of them, else the first. `tuning` may be null.
std::shared_ptr<const Kernel> choose_kernel(const KernelList& offered, const NodeDesc& node,
                                            const Tuning* tuning);

}  // namespace polaris
