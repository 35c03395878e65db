#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "ir/op_set.h"
#include "session/memory_manager.h"
#include "session/reclaimer.h"
#include "session/task_queue.h"
#include "session/traffic.h"
#include "session/weight_store.h"

namespace polaris {

/// The devices a process works with, in order of preference, and what programs share on them:
/// working memory, weights, the operator set, threads for tickets. Outlives programs and sessions,
/// which hold it.
class Runtime {
 public:
  /// The first `spread` devices are those asked for; those after them only take nodes that none
  /// of the first can run.
  Runtime(std::vector<std::unique_ptr<Device>> devices, DeviceIndex spread, OpSet ops);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  DeviceIndex device_count() const { return static_cast<DeviceIndex>(devices_.size()); }
  DeviceIndex spread() const { return spread_; }
  std::span<Device* const> devices() const { return pointers_; }
  Device& device(DeviceIndex d) { return *devices_[static_cast<std::size_t>(d)]; }
  MemoryManager& memory(DeviceIndex d) { return *memories_[static_cast<std::size_t>(d)]; }
  WeightStore& weights(DeviceIndex d) { return *weights_[static_cast<std::size_t>(d)]; }
  Traffic& traffic(DeviceIndex d) { return *traffic_[static_cast<std::size_t>(d)]; }
  const OpSet& ops() const { return ops_; }
  /// Replaces the operator set, as loading a plugin does; not while programs are being compiled.
  void set_ops(OpSet ops) { ops_ = std::move(ops); }
  TaskQueue& tasks() { return tasks_; }
  std::int64_t next_ticket() { return ++tickets_; }
  /// Counts up, to order uses of what may be dropped when memory is short.
  std::uint64_t tick() { return reclaimers_.tick(); }
  ReclaimList& reclaimers() { return reclaimers_; }

 private:
  OpSet ops_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<Device*> pointers_;
  ReclaimList reclaimers_;
  std::vector<std::unique_ptr<MemoryManager>> memories_;
  std::vector<std::unique_ptr<WeightStore>> weights_;
  std::vector<std::unique_ptr<Traffic>> traffic_;
  DeviceIndex spread_;
  std::atomic<std::int64_t> tickets_{0};
  TaskQueue tasks_;  // last: its threads end before anything they use
};

}  // namespace polaris
