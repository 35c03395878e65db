#include "backend/cpu/broadcast.h"

#include <algorithm>

#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTaskElements = 16384;

std::array<std::int64_t, kMaxRank> strides_of(const Shape& in, const Shape& out) {
  std::array<std::int64_t, kMaxRank> strides{};
  std::int64_t stride = 1;
  for (int i = in.rank() - 1, o = out.rank() - 1; i >= 0; --i, --o) {
    strides[static_cast<std::size_t>(o)] = in[i] == 1 ? 0 : stride;
    stride *= in[i];
  }
  return strides;
}

/// Dim `d` continues dim `d - 1` for every input.
bool merges(const BroadcastPlan& plan, std::size_t into, std::int64_t dim,
            const std::vector<std::array<std::int64_t, kMaxRank>>& strides, std::size_t d) {
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (plan.strides[i][into] != strides[i][d] * dim) return false;
  }
  return true;
}

}  // namespace

std::int64_t BroadcastPlan::outer() const {
  std::int64_t product = 1;
  for (int i = 0; i + 1 < rank; ++i) product *= dims[static_cast<std::size_t>(i)];
  return product;
}

BroadcastPlan plan_broadcast(const Shape& out, std::span<const OperandDesc> inputs) {
  std::vector<std::array<std::int64_t, kMaxRank>> strides;
  for (const OperandDesc& in : inputs) strides.push_back(strides_of(in.type.shape, out));
  BroadcastPlan plan;
  plan.strides.resize(strides.size());
  std::size_t used = 0;
  for (int d = 0; d < out.rank(); ++d) {
    const auto at = static_cast<std::size_t>(d);
    if (out[d] == 1) continue;
    const bool merge = used > 0 && merges(plan, used - 1, out[d], strides, at);
    const std::size_t to = merge ? used - 1 : used++;
    plan.dims[to] = merge ? plan.dims[to] * out[d] : out[d];
    for (std::size_t i = 0; i < strides.size(); ++i) plan.strides[i][to] = strides[i][at];
  }
  if (used == 0) {  // one element
    used = 1;
    for (auto& s : plan.strides) s[0] = 0;
  }
  plan.rank = static_cast<int>(used);
  return plan;
}

void for_each_run(ThreadPool& pool, const BroadcastPlan& plan, BroadcastBody body) {
  const std::int64_t inner = plan.inner();
  const std::int64_t outer = plan.outer();
  if (inner <= 0 || outer <= 0) return;
  const std::int64_t run = std::min(inner, kBroadcastRun);
  const std::int64_t runs = ceil_div(inner, run);
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskElements / run);
  const std::size_t inputs = plan.strides.size();
  pool.parallel_for(outer * runs, grain, [&](std::int64_t from, std::int64_t to, int worker) {
    std::int64_t offsets[kBroadcastInputsMax];
    for (std::int64_t t = from; t < to; ++t) {
      const std::int64_t start = t % runs * run;
      for (std::size_t i = 0; i < inputs; ++i) offsets[i] = start * plan.step(i);
      std::int64_t rest = t / runs;
      for (int d = plan.rank - 2; d >= 0; --d) {
        const auto at = static_cast<std::size_t>(d);
        const std::int64_t index = rest % plan.dims[at];
        rest /= plan.dims[at];
        for (std::size_t i = 0; i < inputs; ++i) offsets[i] += index * plan.strides[i][at];
      }
      body(offsets, t / runs * inner + start, std::min(run, inner - start), worker);
    }
  });
}

}  // namespace polaris::cpu
