#include "device_limit.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/os/clock.h"
#include "ir/text.h"
#include "model_io.h"
#include "session/session.h"

namespace polaris::cli {
namespace {

// Large against any cache, small against any device's memory.
constexpr std::int64_t kCopyBytesMax = std::int64_t{128} << 20;
constexpr int kTries = 4;
// A run this long no longer shows what it costs to start one.
constexpr double kLongMs = 20;
constexpr std::int64_t kSideMin = 64;
constexpr std::int64_t kSideMax = 4096;

Result<double> copy_rate(Device& device) {
  const DeviceInfo& info = device.info();
  const std::int64_t bytes =
      std::min({kCopyBytesMax, info.budget_bytes / 8, info.allocation_bytes_max});
  if (bytes <= 0) return 0.0;
  auto from = device.allocate(bytes, MemoryKind::kDevice);
  if (!from) return from.error();
  auto to = device.allocate(bytes, MemoryKind::kDevice);
  if (!to) return to.error();
  double best_ms = 0;
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t start = monotonic_ns();
    auto status = device.copy({from->get(), 0, bytes}, {to->get(), 0, bytes});
    if (!status) return status.error();
    const double ms = elapsed_ms(start);
    // The first copy also touches the memory for the first time.
    if (i == 1 || (i > 1 && ms < best_ms)) best_ms = ms;
  }
  return best_ms > 0 ? 2 * static_cast<double>(bytes) / best_ms : 0.0;
}

/// Milliseconds of the best run of a MatMul of this side.
Result<double> matmul_ms(const std::shared_ptr<Runtime>& runtime, std::int64_t side) {
  const std::string type = "float32[" + std::to_string(side) + ", " + std::to_string(side) + "]";
  auto graph = parse_graph("graph limit {\n  input %a : " + type + "\n  input %b : " + type +
                               "\n  %y = MatMul(%a, %b)\n  output %y\n}\n",
                           runtime->ops());
  if (!graph) return graph.error();
  std::vector<TensorType> types;
  for (ValueId id : graph->inputs()) types.push_back(graph->value(id).type);
  auto inputs = random_inputs(types, 0);
  if (!inputs) return inputs.error();
  auto program = Program::compile(runtime, graph.take());
  if (!program) return program.error();
  auto session = Session::create(program.take());
  if (!session) return session.error();
  double best_ms = 0;
  std::vector<Tensor> outputs;
  for (int i = 0; i < kTries; ++i) {
    std::vector<NodeTime> nodes;
    RunOptions options;
    options.profile = &nodes;  // the node's own time, without the way of its operands
    if (auto status = (*session)->run(*inputs, outputs, options); !status) return status.error();
    double ms = 0;
    for (const NodeTime& node : nodes) ms += node.us / 1000;
    if (i == 1 || (i > 1 && ms < best_ms)) best_ms = ms;
  }
  return best_ms;
}

Result<double> matmul_rate(const std::shared_ptr<Runtime>& runtime) {
  double rate = 0;
  for (std::int64_t side = kSideMin; side <= kSideMax; side *= 2) {
    auto ms = matmul_ms(runtime, side);
    if (!ms) return ms.error();
    const double flops = 2 * static_cast<double>(side) * static_cast<double>(side * side);
    if (*ms > 0) rate = std::max(rate, flops / *ms);
    if (*ms > kLongMs) break;
  }
  return rate;
}

}  // namespace

double DeviceLimit::share(std::int64_t flops, std::int64_t bytes, double ms) const {
  if (bytes_per_ms <= 0 || flops_per_ms <= 0 || ms <= 0) return 0;
  return std::max(static_cast<double>(bytes) / bytes_per_ms,
                  static_cast<double>(flops) / flops_per_ms) /
         ms;
}

Result<DeviceLimit> measure_limit(const std::shared_ptr<Runtime>& runtime) {
  auto copy = copy_rate(runtime->device(0));
  if (!copy) return copy.error();
  auto matmul = matmul_rate(runtime);
  if (!matmul) return matmul.error();
  return DeviceLimit{*copy, *matmul};
}

}  // namespace polaris::cli
