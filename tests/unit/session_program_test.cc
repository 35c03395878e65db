// Programs and runtimes: what they tell of memory, time and devices, and what they refuse.
#include <doctest/doctest.h>

#include <string>

#include "session/estimate_memory.h"
#include "session/open_devices.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kLayer = R"(graph main {
  symbol T
  input %x : float32[T, 64]
  const %w : float32[64, 32] = random 1
  state %s : float32[1, 32]
  state %k : float32[?, 4, 8] paged
  %h = MatMul(%x, %w)
  %y = Add(%h, %s)
  output %y
  output %k
})";

constexpr std::string_view kPlain = R"(graph main {
  input %x : float32[3, 64]
  const %w : float32[64, 32] = random 1
  %y = MatMul(%x, %w)
  output %y
})";

Error open_fails(const DeviceOptions& options) {
  auto runtime = open_runtime(options);
  REQUIRE_FALSE(runtime);
  return runtime.error();
}

}  // namespace

TEST_CASE("programs: an estimate counts weights, states and pages without loading") {
  auto runtime = make_runtime({"cpu"});
  const Graph graph = graph_from_text(kLayer);
  const TensorType inputs[] = {{DType::kF32, {5, 64}, {}}};
  auto use = estimate_memory(*runtime, graph, inputs, 9);
  REQUIRE_MESSAGE(use, use.error().message());
  REQUIRE(use->size() == 1);
  CHECK((*use)[0].device == "cpu");
  CHECK((*use)[0].weight_bytes >= 64 * 32 * 4);
  // One row of 32, and three pages of 4 rows of 8 for 9 tokens.
  CHECK((*use)[0].state_bytes == 32 * 4 + 3 * 4 * 8 * 4);
  CHECK((*use)[0].arena_bytes >= 5 * 32 * 4);
  CHECK((*use)[0].budget_bytes == runtime->device(0).info().budget_bytes);
  CHECK(runtime->device(0).counters().live_bytes == 0);
  auto none = estimate_memory(*runtime, graph, inputs, 0);
  REQUIRE(none);
  CHECK((*none)[0].state_bytes == 32 * 4 + 4 * 8 * 4);
}

TEST_CASE("programs: memory and plans after a run, a trace and a profile of it") {
  auto runtime = make_runtime({"cpu"});
  auto program = program_from_text(runtime, kPlain);
  CHECK(program->plans_created() == 0);
  CHECK(program->memory()[0].weight_bytes == 0);
  CHECK_FALSE(program->main().pass_report.empty());
  auto session = session_of(program);
  Trace trace;
  std::vector<NodeTime> times;
  RunOptions options;
  options.trace = &trace;
  options.profile = &times;
  std::vector<Tensor> outputs;
  const Tensor x[] = {*Tensor::allocate(DType::kF32, {3, 64})};
  for (int i = 0; i < 3; ++i) REQUIRE(session->run(x, outputs, options));
  CHECK(program->plans_created() == 1);
  CHECK(program->memory()[0].weight_bytes >= 64 * 32 * 4);
  CHECK(program->memory()[0].arena_bytes > 0);
  REQUIRE(trace.events().size() == 3);
  CHECK(trace.events()[0].device == "cpu");
  CHECK(trace.events()[0].what == "segment 0");
  CHECK(trace.events()[0].begin_us <= trace.events()[0].end_us);
  CHECK(trace.events()[0].ticket < trace.events()[1].ticket);
  REQUIRE(times.size() == 3);
  CHECK(times[0].device == "cpu");
  CHECK(times[0].flops == 2 * 3 * 64 * 32);
}

TEST_CASE("programs: passes by name, and passes of users") {
  auto runtime = make_runtime({"cpu"});
  const UserPass twice = {"twice", "pattern { %y = Add(%x, %x) } => { %y = Mul(%x, 2) }"};
  CHECK(check_user_pass(twice, runtime->ops()));
  CHECK_FALSE(check_user_pass({"broken", "pattern {"}, runtime->ops()));
  const std::string_view text = "graph { input %x : float32[4]\n%y = Add(%x, %x)\noutput %y }";
  ProgramOptions options;
  options.run_passes = false;
  options.user_passes = {twice};
  auto program = Program::compile(runtime, graph_from_text(text), options);
  REQUIRE_MESSAGE(program, program.error().message());
  const Graph& graph = (*program)->graph();
  CHECK(graph.node(graph.order().back()).op->is("Mul"));
  options.user_passes = {{"broken", "pattern {"}};
  CHECK_FALSE(Program::compile(runtime, graph_from_text(text), options));
}

TEST_CASE("runtimes: devices by name, the cpu behind them, and names that mean nothing") {
  DeviceOptions options;
  options.threads = 1;
  options.devices = {"reference", "cpu", "cpu"};
  auto runtime = open_runtime(options);
  REQUIRE_MESSAGE(runtime, runtime.error().message());
  CHECK((*runtime)->device_count() == 3);
  CHECK((*runtime)->spread() == 3);
  const std::int64_t ticket = (*runtime)->next_ticket();
  CHECK((*runtime)->next_ticket() == ticket + 1);
  options.devices = {"auto"};
  auto automatic = open_runtime(options);
  REQUIRE_MESSAGE(automatic, automatic.error().message());
  CHECK_FALSE((*automatic)->device(0).info().software);
  options.devices = {};
  CHECK(open_fails(options).code() == ErrorCode::kInvalid);
  options.devices.assign(65, "cpu");
  CHECK(open_fails(options).code() == ErrorCode::kInvalid);
  options.devices = {"toaster"};
  CHECK(open_fails(options).message().find("'toaster'") != std::string::npos);
  options.devices = {"vulkan:no such card"};
  CHECK_FALSE(open_runtime(options));
  options.devices = {"cpu"};
  for (const double share : {0.0, -1.0, 1.5}) {
    options.gpu_share = share;
    CHECK(open_fails(options).message().find("GPU share") != std::string::npos);
  }
  auto all = list_devices(1);
  if (!all) return;  // no Vulkan loader
  REQUIRE(all->size() >= 2);
  CHECK((*all)[0].id == "cpu");
  CHECK((*all)[1].id == "reference");
}

}  // namespace polaris::test
