// Runs of a shape that is planned already, alone and while other shapes of the same program are
// planned by another thread: prints the medians and their ratio.
//
//   bench_plan_while_run [layers] [runs]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "base/os/thread.h"
#include "base/strings.h"
#include "ir/text/text.h"
#include "session/session.h"

namespace polaris {
namespace {

/// Softmaxes in a row over [N, 64]: a plan takes much longer than a run.
std::string model(int layers) {
  std::string text = "graph { symbol N\n input %v0 : float32[N, 64]\n";
  for (int i = 0; i < layers; ++i) {
    text += " %v" + std::to_string(i + 1) + " = Softmax(%v" + std::to_string(i) + ", axis = 1)\n";
  }
  return text + " output %v" + std::to_string(layers) + " }";
}

/// Milliseconds of one run over `rows` rows; negative where it failed.
double run_ms(Session& session, std::int64_t rows) {
  auto x = Tensor::allocate(DType::kF32, {rows, 64});
  if (!x) return -1;
  std::fill_n(x->mutable_data<float>(), rows * 64, 0.5f);
  const Tensor inputs[] = {x.take()};
  std::vector<Tensor> outputs;
  const auto begin = std::chrono::steady_clock::now();
  const Status status = session.run(inputs, outputs);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  if (!status) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status ? took.count() : -1;
}

double median_ms(Session& session, int runs) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) times.push_back(run_ms(session, 8));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int measure(int layers, int runs) {
  CpuOptions options;
  options.threads = 1;
  auto device = make_cpu_device(options);
  if (!device) return 1;
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(device.take());
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  auto graph = parse_graph(model(layers), runtime->ops());
  if (!graph) return 1;
  auto program = Program::compile(runtime, graph.take());
  if (!program) return 1;
  auto session = Session::create(*program);
  if (!session) return 1;
  const double first = run_ms(**session, 8);
  const double alone = median_ms(**session, runs);
  std::atomic<bool> over{false};
  std::int64_t shapes = 0;
  auto planner = Thread::start([&] {
    while (!over) run_ms(**session, 9 + shapes++);
  });
  if (!planner) return 1;
  const double beside = median_ms(**session, runs);
  over = true;
  planner->join();
  std::printf(
      "first run %.2f ms; warm run alone %.3f ms, while %lld other shapes are planned %.3f "
      "ms: %.2fx\n",
      first, alone, static_cast<long long>(shapes), beside, beside / alone);
  return 0;
}

}  // namespace
}  // namespace polaris

int main(int argc, char** argv) {
  const auto layers = polaris::parse_i64(argc > 1 ? argv[1] : "4000");
  const auto runs = polaris::parse_i64(argc > 2 ? argv[2] : "101");
  if (!layers || !runs || *layers < 1 || *runs < 1 || *layers > 1'000'000 || *runs > 1'000'000) {
    std::fprintf(stderr, "usage: bench_plan_while_run [layers] [runs]\n");
    return 2;
  }
  return polaris::measure(static_cast<int>(*layers), static_cast<int>(*runs));
}
