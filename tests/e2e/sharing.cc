// What programs share on a device, what loading costs, and what a small device runs or refuses.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "load/load.h"
#include "support/session_run.h"
#include "support/vulkan.h"
#include "test_paths.h"

using namespace polaris;
using namespace polaris::test;

namespace {

/// Two linear layers of the given widths with constant weights from a seed, as a graph.
Graph two_layers(const OpSet& ops, std::int64_t in, std::int64_t hidden, float seed) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DType::kF32, {3, in}, {}});
  ValueId at = x;
  std::int64_t width = in;
  for (const std::int64_t next : {hidden, in}) {
    auto weight = Tensor::allocate(DType::kF32, {next, width});
    REQUIRE(weight);
    float* data = weight->mutable_data<float>();
    std::vector<float> pattern(8191);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      pattern[i] = std::sin(seed + static_cast<float>(i)) / std::sqrt(static_cast<float>(width));
    }
    const std::int64_t count = weight->elements();
    const auto period = static_cast<std::int64_t>(pattern.size());
    for (std::int64_t i = 0; i < count; i += period) {
      std::copy_n(pattern.begin(), std::min(period, count - i), data + i);
    }
    const ValueId w = graph.add_constant("w" + std::to_string(next), weight.take());
    const NodeId node = graph.add_node(ops.find("Linear", "polaris"), nullptr, {at, w}, 1,
                                       "linear" + std::to_string(next));
    at = graph.node(node).outputs[0];
    width = next;
  }
  graph.mark_output(at, "y");
  return graph;
}

std::shared_ptr<Program> compile(const std::shared_ptr<Runtime>& runtime, Graph graph) {
  auto program = Program::compile(runtime, std::move(graph));
  REQUIRE_MESSAGE(program, program.error().message());
  return program.take();
}

Result<Tensor> run_once(const std::shared_ptr<Program>& program, std::int64_t width) {
  auto session = Session::create(program);
  REQUIRE(session);
  auto x = Tensor::allocate(DType::kF32, {3, width});
  REQUIRE(x);
  for (std::int64_t i = 0; i < x->elements(); ++i) {
    x->mutable_data<float>()[i] = std::cos(static_cast<float>(i));
  }
  std::vector<Tensor> outputs;
  const Tensor inputs[] = {x.take()};
  if (auto status = (*session)->run(inputs, outputs); !status) return status.error();
  return outputs[0];
}

constexpr std::int64_t kMiB = 1 << 20;

}  // namespace

TEST_CASE("two programs on one device share equal weights and lease the same arena bytes") {
  for (const std::string name : {"vulkan", "reference", "cpu"}) {
    CAPTURE(name);
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    auto first = compile(runtime, two_layers(runtime->ops(), 320, 1024, 0));
    REQUIRE(run_once(first, 320));
    const std::int64_t count = runtime->weights(0).live_count();
    const std::int64_t live = runtime->device(0).counters().live_bytes;
    const std::int64_t allocations = runtime->device(0).counters().allocations;
    CHECK(count == 2);
    // Built apart, equal in content.
    auto second = compile(runtime, two_layers(runtime->ops(), 320, 1024, 0));
    REQUIRE(run_once(second, 320));
    CHECK(runtime->weights(0).live_count() == count);
    CHECK(runtime->device(0).counters().live_bytes == live);
    CHECK(runtime->device(0).counters().allocations == allocations);
    // Other weights are other bytes.
    auto third = compile(runtime, two_layers(runtime->ops(), 320, 1024, 1));
    REQUIRE(run_once(third, 320));
    CHECK(runtime->weights(0).live_count() == 2 * count);
    first.reset();
    second.reset();
    CHECK(runtime->weights(0).live_count() == count);
  }
}

TEST_CASE(
    "a device of 256 MiB with 16 MiB bindings runs what fits and leaves the rest to the cpu") {
  VulkanOptions options;
  options.binding_bytes_max = 16 * kMiB;
  options.allocation_bytes_max = 64 * kMiB;
  options.memory_bytes = 256 * kMiB;
  options.keep_bytes = 0;
  auto device = make_test_vulkan(options);
  if (!device) return;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(device));
  devices.push_back(cpu.take());
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  Device& gpu = runtime->device(0);

  SUBCASE("a weight of 40 MiB is split and gives the cpu's answer") {
    const std::int64_t width = 1024;
    auto program = compile(runtime, two_layers(runtime->ops(), width, 10240, 0));
    auto got = run_once(program, width);
    REQUIRE_MESSAGE(got, got.error().message());
    CHECK(gpu.counters().live_bytes > 80 * kMiB);
    auto plain = make_runtime({"cpu"});
    auto want = run_once(compile(plain, two_layers(plain->ops(), width, 10240, 0)), width);
    REQUIRE(want);
    CHECK(max_difference(*got, *want) < 1e-3);
  }
  SUBCASE("weights of 320 MiB are split between it and the cpu, and give the cpu's answer") {
    const std::int64_t width = 4096;
    auto program = compile(runtime, two_layers(runtime->ops(), width, 10240, 0));
    auto got = run_once(program, width);
    REQUIRE_MESSAGE(got, got.error().message());
    const std::vector<MemoryUse> memory = program->memory();
    CHECK(memory[0].weight_bytes >= 160 * kMiB);
    CHECK(memory[0].weight_bytes < 256 * kMiB);
    CHECK(memory[1].weight_bytes >= 160 * kMiB);
    auto plain = make_runtime({"cpu"});
    auto want = run_once(compile(plain, two_layers(plain->ops(), width, 10240, 0)), width);
    REQUIRE(want);
    CHECK(max_difference(*got, *want) < 1e-3);
  }
}

TEST_CASE("weights that no device has room for are refused before anything is loaded") {
  VulkanOptions options;
  options.binding_bytes_max = 16 * kMiB;
  options.allocation_bytes_max = 64 * kMiB;
  options.memory_bytes = 256 * kMiB;
  options.keep_bytes = 0;
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_test_vulkan(options));
  if (!devices[0]) return;
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  Device& gpu = runtime->device(0);
  const std::int64_t width = 4096;
  auto program = compile(runtime, two_layers(runtime->ops(), width, 10240, 0));
  const std::int64_t before = gpu.counters().peak_bytes;
  auto got = run_once(program, width);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == ErrorCode::kOutOfMemory);
  CHECK(got.error().message().find("[preflight]") != std::string::npos);
  CHECK(gpu.counters().peak_bytes == before);
  CHECK(gpu.counters().live_bytes == 0);
}

TEST_CASE("loading a file peaks at the file, its largest tensor and the arena") {
  const std::string path = std::string(kSourceDir) + "/models/stories/stories-f32.gguf";
  for (const std::string name : {"cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto model = load_model(path, runtime->ops());
    REQUIRE_MESSAGE(model, model.error().message());
    std::int64_t largest = 0;
    for (const Weight& weight : model->weights) largest = std::max(largest, weight.bytes);
    const std::int64_t file = model->file_bytes;
    auto graph = take_function(*model, "");
    REQUIRE(graph);
    auto program = compile(runtime, graph.take());
    auto pool = KvPool::create(program, 4);
    REQUIRE_MESSAGE(pool, pool.error().message());
    auto session = Session::create(program, *pool);
    REQUIRE(session);
    const std::int64_t before = runtime->device(0).counters().live_bytes;
    std::vector<Tensor> inputs;
    for (const auto& shape : {Shape{1}, Shape{1}, Shape{1}, Shape{1}, Shape{1, 4}, Shape{1}}) {
      auto tensor = Tensor::allocate(DType::kI32, shape);
      REQUIRE(tensor);
      inputs.push_back(tensor.take());
    }
    std::vector<Tensor> outputs;
    const Status status = (*session)->run(inputs, outputs);
    REQUIRE_MESSAGE(status, status.error().message());
    const MemoryUse use = program->memory()[0];
    const std::int64_t peak = runtime->device(0).counters().peak_bytes - before;
    // Rows padded to whole waves and the last slab of small weights are what is left over.
    CHECK(peak <= file + largest + use.arena_bytes + 2 * kMiB);
  }
}
