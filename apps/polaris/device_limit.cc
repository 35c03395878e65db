#include "device_limit.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/limit_ops.h"
#include "session/session.h"

namespace polaris::cli {
namespace {

// Two arrays of this size are more than most caches hold, and little beside a device's memory.
constexpr std::int64_t kStreamBytesMax = std::int64_t{64} << 20;
constexpr int kTries = 3;
constexpr std::int64_t kFmaElements = std::int64_t{1} << 18;
constexpr std::int64_t kRoundsMin = 4;
constexpr std::int64_t kRoundsMax = 32768;
// A launch this long no longer shows what it costs to start one.
constexpr double kLongMs = 3;

struct Limits {
  Graph graph;

  ValueId add(const OpDef& op, std::vector<ValueId> inputs, std::int64_t count,
              std::int64_t rounds = 1) {
    std::unique_ptr<Attrs> attrs;
    if (op.make_attrs != nullptr) {
      auto made = std::make_unique<LimitAttrs>();
      made->count = count;
      made->rounds = rounds;
      attrs = std::move(made);
    }
    const NodeId node =
        graph.add_node(&op, std::move(attrs), std::move(inputs), 1, std::string(op.name));
    return graph.node(node).outputs[0];
  }
};

/// Milliseconds of the fastest run of each op of a graph without inputs.
Result<std::map<std::string, double>> best_ms(const std::shared_ptr<Runtime>& runtime,
                                              Graph graph) {
  if (auto status = infer_graph(graph); !status) return status.error();
  ProgramOptions options;
  options.run_passes = false;
  auto program = Program::compile(runtime, std::move(graph), options);
  if (!program) return program.error();
  auto session = Session::create(program.take());
  if (!session) return session.error();
  std::map<std::string, double> best;
  std::vector<Tensor> outputs;
  for (int i = 0; i < kTries; ++i) {
    std::vector<NodeTime> nodes;
    RunOptions run;
    run.profile = &nodes;  // a node's own time, without the way of its operands
    if (auto status = (*session)->run({}, outputs, run); !status) return status.error();
    // The first run also touches the memory for the first time.
    if (i == 0) continue;
    for (const NodeTime& node : nodes) {
      const auto [at, fresh] = best.emplace(node.op, node.us / 1000);
      if (!fresh) at->second = std::min(at->second, node.us / 1000);
    }
  }
  return best;
}

Result<double> measure_bytes(const std::shared_ptr<Runtime>& runtime) {
  const DeviceInfo& info = runtime->device(0).info();
  const std::int64_t most = std::min(
      {kStreamBytesMax, info.budget_bytes / 8, info.allocation_bytes_max, info.binding_bytes_max});
  const std::int64_t count = most / 4 / kLimitUnit * kLimitUnit;
  if (count == 0) return 0.0;
  Limits limits;
  limits.graph.name = "memory";
  const ValueId x = limits.add(op_limit_fill, {}, count);
  const ValueId y = limits.add(op_limit_copy, {x}, count);
  limits.graph.mark_output(limits.add(op_limit_read, {y}, count), "y");
  const auto best = best_ms(runtime, std::move(limits.graph));
  if (!best) return best.error();
  const double bytes = 4 * static_cast<double>(count);
  const double copy_ms = best->at("limit.Copy");
  const double read_ms = best->at("limit.Read");
  return std::max(copy_ms > 0 ? 2 * bytes / copy_ms : 0, read_ms > 0 ? bytes / read_ms : 0);
}

Result<double> measure_flops(const std::shared_ptr<Runtime>& runtime) {
  double rate = 0;
  for (std::int64_t rounds = kRoundsMin; rounds <= kRoundsMax; rounds *= 8) {
    Limits limits;
    limits.graph.name = "arithmetic";
    limits.graph.mark_output(limits.add(op_limit_fma, {}, kFmaElements, rounds), "y");
    const auto best = best_ms(runtime, std::move(limits.graph));
    if (!best) return best.error();
    const double ms = best->at("limit.Fma");
    const double flops = 2.0 * kLimitChains * static_cast<double>(kFmaElements * rounds);
    if (ms > 0) rate = std::max(rate, flops / ms);
    if (ms > kLongMs) break;
  }
  return rate;
}

}  // namespace

LimitShare DeviceLimit::share(std::int64_t flops, std::int64_t bytes, double ms) const {
  if (bytes_per_ms <= 0 || flops_per_ms <= 0 || ms <= 0) return {};
  return {static_cast<double>(flops) / flops_per_ms / ms,
          static_cast<double>(bytes) / bytes_per_ms / ms};
}

void DeviceLimit::write(JsonWriter& json) const {
  json.key("limit").begin_object().field("flops_per_s", flops_per_ms * 1000);
  json.field("bytes_per_s", bytes_per_ms * 1000).end_object();
}

std::string DeviceLimit::text() const {
  char out[120];
  std::snprintf(out, sizeof out, "peak %.1f GFLOP/s (float32 multiply-adds), memory %.1f GB/s",
                flops_per_ms * 1e-6, bytes_per_ms * 1e-6);
  return out;
}

Result<DeviceLimit> measure_limit(const std::shared_ptr<Runtime>& runtime) {
  const auto bytes = measure_bytes(runtime);
  if (!bytes) return bytes.error();
  const auto flops = measure_flops(runtime);
  if (!flops) return flops.error();
  return DeviceLimit{*flops, *bytes};
}

}  // namespace polaris::cli
