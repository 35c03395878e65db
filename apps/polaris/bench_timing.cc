#include "bench_timing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "base/os/clock.h"
#include "base/os/processor_time.h"
#include "interrupt.h"
#include "progress.h"

namespace polaris::cli {
namespace {

constexpr std::int32_t kProfiledMax = 5;

}  // namespace

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(std::lround(q * static_cast<double>(values.size() - 1)))];
}

Result<std::vector<NodeTime>> profile_runs(const BenchRuns& runs, const RunOptions& options,
                                           OneRun one) {
  std::vector<std::vector<NodeTime>> all;
  for (std::int32_t r = 0; r < std::min(runs.timed, kProfiledMax); ++r) {
    std::vector<NodeTime> nodes;
    RunOptions profiled = options;
    profiled.profile = &nodes;
    if (auto status = one(profiled); !status) return status.error();
    all.push_back(std::move(nodes));
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end(),
                   [](const auto& a, const auto& b) { return totals_of(a).ms < totals_of(b).ms; });
  return std::move(*middle);
}

Result<Timing> time_runs(const Common& common, const BenchRuns& runs, OneRun one) {
  CancelOnInterrupt interrupt;
  RunOptions options;
  options.cancel = interrupt.token();
  Progress progress(common);
  Timing out;
  for (std::int32_t r = 0; r < runs.warmup + runs.timed; ++r) {
    const std::int64_t cpu = process_cpu_ns();
    const std::int64_t start = monotonic_ns();
    if (auto status = one(options); !status) return status.error();
    if (r >= runs.warmup) {
      out.times_ms.push_back(elapsed_ms(start));
      out.cpu_ms.push_back(static_cast<double>(process_cpu_ns() - cpu) * 1e-6);
    }
    progress.show("run", std::to_string(r + 1), std::to_string(runs.warmup + runs.timed));
  }
  auto nodes = profile_runs(runs, options, one);
  if (!nodes) return nodes.error();
  out.nodes = nodes.take();
  return out;
}

std::string kernels_text(const KernelTotals& kernels, const DeviceLimit& limit) {
  const LimitShare share = limit.share(kernels.flops, kernels.bytes, kernels.ms);
  const double scale = kernels.ms > 0 ? 1e-6 / kernels.ms : 0;
  char out[200];
  std::snprintf(out, sizeof out,
                "kernels %.3f ms: %.2f GFLOP/s (%.0f%% of the peak), %.2f GB/s (%.0f%% of the "
                "memory's%s)",
                kernels.ms, static_cast<double>(kernels.flops) * scale, 100 * share.flops,
                static_cast<double>(kernels.bytes) * scale, 100 * share.bytes,
                share.bytes > 1 ? "; what it touches stays in the caches" : "");
  return out;
}

void write_shares(JsonWriter& json, const std::string& prefix, const KernelTotals& kernels,
                  const DeviceLimit& limit) {
  const LimitShare share = limit.share(kernels.flops, kernels.bytes, kernels.ms);
  json.field(prefix + "flops_share", share.flops).field(prefix + "bytes_share", share.bytes);
  json.field(prefix + "limit_share", share.nearer());
}

}  // namespace polaris::cli
