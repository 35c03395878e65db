// Loops that a file wants to run for ever.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
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

TEST_CASE("loops: scan outputs of several shapes are an error, wherever they stand") {
  // Row lengths by trip: growing, shrinking, and changing after some alike.
  const std::string lengths[] = {"%length = Add(%i1, %one)", "%length = Sub(%five, %i1)",
                                 "%length = Max(%i1, %two)", "%length = Min(%i1, %two)"};
  // On the host, on a device, and where data say how many.
  const std::string parts[] = {"%e = Range(%zero, %n, %step)\n%part = Add(%e, %e)",
                               "%part = Slice(%x, %from, %length, %from)",
                               "%part = Tile(%two, %length)",
                               "%head = Slice(%x, %from, %length, %from)\n%part = NonZero(%head)"};
  for (const std::string name : {"cpu", "reference", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    for (const std::string& length : lengths) {
      CAPTURE(length);
      for (const std::string& part : parts) {
        CAPTURE(part);
        auto session = session_of(program_from_text(runtime, R"(graph main {
          input %x : float32[6]
          const %trips : int64[] = 4
          %all = Loop(%trips, _, %x, captures = 1) graph {
            input %i : int64[]
            input %go : bool[]
            input %x : float32[6]
            const %from : int64[1] = [0]
            const %one : int64[1] = [1]
            const %two : int64[1] = [2]
            const %five : int64[1] = [5]
            const %zero : int64[] = 0
            const %step : int64[] = 1
            const %none : int64[0] = []
            %i1 = Unsqueeze(%i, %from)
            )" + length + R"(
            %n = Reshape(%length, %none)
            )" + part + R"(
            output %go
            output %part
          }
          output %all
        })"));
        Bindings bindings;
        bindings.input("x", floats({6}, {1, 2, 3, 4, 5, 6})).output("all");
        const Error error = run_fails(*session, "main", bindings);
        CHECK(error.code() == ErrorCode::kInvalid);
        CAPTURE(error.message());
        CHECK(error.message().find("scan output, got") != std::string::npos);
      }
    }
  }
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
