#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "base/function_ref.h"
#include "base/thread_pool.h"

namespace polaris::cpu {

/// The walk of an elementwise op: output dims with those merged that all operands walk alike, and
/// each input's strides (0 where it is broadcast). The last stride is 0 or 1.
struct BroadcastPlan {
  int rank = 1;
  std::array<std::int64_t, kMaxRank> dims{1};
  std::vector<std::array<std::int64_t, kMaxRank>> strides;

  std::int64_t inner() const { return dims[static_cast<std::size_t>(rank - 1)]; }
  std::int64_t outer() const;
  /// 0 or 1: how input i moves inside a run.
  std::int64_t step(std::size_t i) const { return strides[i][static_cast<std::size_t>(rank - 1)]; }
};
inline constexpr std::size_t kBroadcastInputsMax = 16;

/// Every input shape broadcasts to `out`; at most kBroadcastInputsMax of them.
BroadcastPlan plan_broadcast(const Shape& out, std::span<const OperandDesc> inputs);

/// Calls body(offsets of the inputs, offset of the output, n, worker) for runs of at most
/// kBroadcastRun elements that cover the output.
inline constexpr std::int64_t kBroadcastRun = 4096;
using BroadcastBody = FunctionRef<void(const std::int64_t*, std::int64_t, std::int64_t, int)>;
void for_each_run(ThreadPool& pool, const BroadcastPlan& plan, BroadcastBody body);

}  // namespace polaris::cpu
