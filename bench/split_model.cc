// A model of 2 GiB on a card that is told to have 1 GiB, the CPU behind it: runs it split, says
// what went where, and compares with the CPU alone.
//
//   bench_split_model [vulkan device] [layers of 64 MiB]

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "backend/vulkan/vulkan_device.h"
#include "base/strings.h"
#include "session/session.h"

namespace polaris {
namespace {

constexpr std::int64_t kWidth = 4096;

Result<Graph> model(const OpSet& ops, std::int64_t layers) {
  Graph graph;
  ValueId at = graph.add_input("x", {DType::kF32, {1, kWidth}, {}});
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < layers; ++i) {
    auto weight = Tensor::allocate(DType::kF32, {kWidth, kWidth});
    if (!weight) return weight.error();
    float* data = weight->mutable_data<float>();
    for (std::int64_t e = 0; e < weight->elements(); ++e) {
      state = state * 1664525u + 1013904223u;
      data[e] = (static_cast<float>(state >> 8) * 0x1p-23f - 1.0f) * 0.027f;
    }
    const std::string name = "w" + std::to_string(i);
    const ValueId w = graph.add_constant(name, weight.take());
    const NodeId node =
        graph.add_node(ops.find("Linear", "polaris"), nullptr, {at, w}, 1, "layer" + name);
    at = graph.node(node).outputs[0];
  }
  graph.mark_output(at, "y");
  return graph;
}

Result<Tensor> run(const std::shared_ptr<Runtime>& runtime, const Graph& graph) {
  auto program = Program::compile(runtime, graph.clone());
  if (!program) return program.error();
  auto session = Session::create(*program);
  if (!session) return session.error();
  auto x = Tensor::allocate(DType::kF32, {1, kWidth});
  if (!x) return x.error();
  for (std::int64_t i = 0; i < kWidth; ++i) {
    x->mutable_data<float>()[i] = std::cos(static_cast<float>(i));
  }
  const Tensor inputs[] = {x.take()};
  std::vector<Tensor> outputs;
  if (auto status = (*session)->run(inputs, outputs); !status) return status.error();
  for (const MemoryUse& use : (*program)->memory()) {
    std::printf("%-10s weights %lld MiB of %lld MiB\n", use.device.c_str(),
                static_cast<long long>(use.weight_bytes >> 20),
                static_cast<long long>(use.budget_bytes >> 20));
  }
  return outputs[0];
}

Status measure(const std::string& name, std::int64_t layers) {
  VulkanOptions options;
  options.selector = name;
  options.memory_bytes = std::int64_t{1} << 30;
  options.keep_bytes = 0;
  std::vector<std::unique_ptr<Device>> both;
  std::vector<std::unique_ptr<Device>> alone;
  auto gpu = make_vulkan_device(options);
  if (!gpu) return gpu.error();
  both.push_back(gpu.take());
  for (auto* devices : {&both, &alone}) {
    auto cpu = make_cpu_device({});
    if (!cpu) return cpu.error();
    devices->push_back(cpu.take());
  }
  const OpSet ops = OpSet::builtin();
  auto graph = model(ops, layers);
  if (!graph) return graph.error();
  auto split = run(std::make_shared<Runtime>(std::move(both), 1, ops), *graph);
  if (!split) return split.error();
  auto whole = run(std::make_shared<Runtime>(std::move(alone), 1, ops), *graph);
  if (!whole) return whole.error();
  double worst = 0;
  double largest = 0;
  for (std::int64_t i = 0; i < kWidth; ++i) {
    const double want = static_cast<double>(whole->data<float>()[i]);
    worst = std::max(worst, std::fabs(static_cast<double>(split->data<float>()[i]) - want));
    largest = std::max(largest, std::fabs(want));
  }
  std::printf("largest difference %.3g of %.3g\n", worst, largest);
  return worst <= 1e-3 * largest ? Status::success()
                                 : Status(Error::internal("[split] the answers differ"));
}

}  // namespace
}  // namespace polaris

int main(int argc, char** argv) {
  const auto layers = polaris::parse_i64(argc > 2 ? argv[2] : "32");
  if (!layers || *layers < 1 || *layers > 1024) {
    std::fprintf(stderr, "usage: bench_split_model [vulkan device] [layers of 64 MiB]\n");
    return 2;
  }
  const auto status = polaris::measure(argc > 1 ? argv[1] : "", *layers);
  if (!status) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status ? 0 : 1;
}
