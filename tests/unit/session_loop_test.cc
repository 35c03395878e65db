// Loops that a file wants to run for ever.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "backend/cpu/cpu_device.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kEndless = R"(graph main {
  input %x : float32[256]
  const %trips : int64[] = 4611686018427387904
  %last, %all = Loop(%trips, _, %x) graph {
    input %i : int64[]
    input %go : bool[]
    input %v : float32[256]
    %n = Add(%v, %v)
    output %go
    output %n
    output %v
  }
  output %last
  output %all
})";

}  // namespace

TEST_CASE("loops: 2^62 trips with a scan output end at the limit, which is said") {
  for (const std::string name : {"cpu", "reference", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto session = session_of(program_from_text(runtime, kEndless));
    RunOptions options;
    options.loop_bytes_max = 1 << 18;
    std::vector<Tensor> outputs;
    const Tensor x[] = {*Tensor::allocate(DType::kF32, {256})};
    const Status status = session->run(x, outputs, options);
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::kExhausted);
    CHECK(status.error().message().find("262144 bytes") != std::string::npos);
    CHECK(status.error().message().find("iterations") != std::string::npos);
    // Nothing of the pile is still lent.
    runtime->memory(0).trim();
    CHECK(runtime->device(0).counters().live_bytes < 1 << 18);
  }
}

TEST_CASE("loops: 2^62 trips stop when their ticket is cancelled") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, kEndless));
  auto ticket = session->submit({*Tensor::allocate(DType::kF32, {256})});
  REQUIRE(ticket);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(ticket->done());
  ticket->cancel();
  auto outputs = ticket->wait();
  REQUIRE_FALSE(outputs);
  CHECK(outputs.error().code() == ErrorCode::kCancelled);
}

TEST_CASE("loops: the limit is half of what the device may use where none is given") {
  CpuOptions small;
  small.budget_bytes = 1 << 20;
  auto cpu = make_cpu_device(small);
  REQUIRE(cpu);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(cpu.take());
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  auto session = session_of(program_from_text(runtime, kEndless));
  std::vector<Tensor> outputs;
  const Tensor x[] = {*Tensor::allocate(DType::kF32, {256})};
  const Status status = session->run(x, outputs);
  REQUIRE_FALSE(status);
  INFO(status.error().message());
  CHECK(status.error().message().find("524288 bytes") != std::string::npos);
}

}  // namespace polaris::test
