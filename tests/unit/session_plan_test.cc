// A program's plans: a warm run does not wait while another shape is planned, plans that go leave
// the others alone, and nodes are fused for the device that they stand on.

#include <doctest/doctest.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/fake_device.h"
#include "support/session_run.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

constexpr const char* kModel = R"(graph {
  symbol N
  input %x : float32[N, 8]
  const %w : float32[8, 8] = random 1
  %a = MatMul(%x, %w)
  %y = Softmax(%a, axis = 1)
  output %y
})";

struct Fakes {
  std::vector<FakeDevice*> devices;
  std::shared_ptr<Runtime> runtime;
};

Fakes make_fakes(int count, DeviceIndex spread) {
  Fakes out;
  std::vector<std::unique_ptr<Device>> owned;
  for (int d = 0; d < count; ++d) {
    auto device = std::make_unique<FakeDevice>("fake:" + std::to_string(d));
    out.devices.push_back(device.get());
    owned.push_back(std::move(device));
  }
  out.runtime = std::make_shared<Runtime>(std::move(owned), spread, OpSet::builtin());
  return out;
}

std::shared_ptr<Program> compile(const Fakes& fakes, std::string_view text,
                                 const ProgramOptions& options = {}) {
  auto program = Program::compile(fakes.runtime, graph_from_text(text), options);
  REQUIRE_MESSAGE(program, program.error().message());
  return program.take();
}

Status run_rows(Session& session, std::int64_t rows) {
  auto x = Tensor::allocate(DType::kF32, {rows, 8});
  REQUIRE(x);
  std::fill_n(x->mutable_data<float>(), rows * 8, 0.5f);
  std::vector<Tensor> outputs;
  const Tensor inputs[] = {x.take()};
  return session.run(inputs, outputs);
}

std::string ops_on(const Graph& graph, std::int32_t device) {
  std::string out;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.device == device) out += op_full_name(*node.op) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("warm runs go on while another shape is compiled, which is compiled once") {
  Fakes fakes = make_fakes(1, 1);
  auto program = compile(fakes, kModel);
  auto session = Session::create(program);
  REQUIRE(session);
  REQUIRE(run_rows(**session, 1));
  std::binary_semaphore begun{0}, go_on{0};
  std::atomic<int> compiled{0};
  fakes.devices[0]->on_compile = [&] {
    if (compiled++ > 0) return;
    begun.release();
    go_on.acquire();
  };
  std::thread first([&] { CHECK(run_rows(**session, 2)); });
  begun.acquire();
  // The maker of the other plan is stopped inside the device until these are through.
  for (int i = 0; i < 10; ++i) CHECK(run_rows(**session, 1));
  std::thread second([&] { CHECK(run_rows(**session, 2)); });
  CHECK(run_rows(**session, 1));
  go_on.release();
  first.join();
  second.join();
  CHECK(compiled == 1);
  CHECK(program->plans_created() == 2);
}

TEST_CASE("progress is told under no lock: it may run the program itself") {
  Fakes fakes = make_fakes(1, 1);
  // The reference maps what it can, so that nothing is brought; a device that packs does.
  fakes.devices[0]->info_.host_memory = false;
  std::unique_ptr<Session> session;
  int told = 0;
  ProgramOptions options;
  options.progress = [&](std::int64_t, std::int64_t) {
    if (told++ == 0) CHECK(run_rows(*session, 3));
  };
  auto program = compile(fakes, kModel, options);
  session = Session::create(program).take();
  CHECK(run_rows(*session, 1));
  CHECK(told >= 1);
}

TEST_CASE("a compile that fails is tried again at the next run") {
  Fakes fakes = make_fakes(1, 1);
  auto program = compile(fakes, kModel);
  auto session = Session::create(program);
  REQUIRE(session);
  fakes.devices[0]->refuses = {"Softmax"};
  CHECK_FALSE(run_rows(**session, 1));
  fakes.devices[0]->refuses.clear();
  CHECK(run_rows(**session, 1));
}

TEST_CASE("with no plans kept every run makes its own") {
  Fakes fakes = make_fakes(1, 1);
  ProgramOptions options;
  options.plans.plans = 0;
  auto program = compile(fakes, kModel, options);
  auto session = Session::create(program);
  REQUIRE(session);
  for (int i = 0; i < 3; ++i) CHECK(run_rows(**session, 1));
  CHECK(program->plans_created() == 3);
}

TEST_CASE("what a device has no fused kernel for runs there unfused, not elsewhere fused") {
  // A weight in blocks of 16: the first device refuses polaris.Linear on it, the second takes it.
  const std::string text = R"(graph {
    input %x : float32[8, 64]
    const %w : int8[64, 32] = random 1
    const %s : float32[4, 32] = random 2
    %d = DequantizeLinear(%w, %s, axis = 0, block_size = 16)
    %m = MatMul(%x, %d)
    %y = Relu(%m)
    output %y
  })";
  Fakes fakes = make_fakes(2, 1);
  fakes.devices[0]->refuse = [](const NodeDesc& node) {
    return node.op->is("Linear", "polaris") && !node.inputs[1].type.encoding.is_plain();
  };
  auto program = compile(fakes, text);
  CHECK(ops_on(program->graph(), 0) == "polaris.Linear Relu ");
  CHECK(ops_on(program->graph(), 1) == "");
  auto session = Session::create(program);
  REQUIRE(session);
  const Graph graph = graph_from_text(text);
  const auto inputs = numbers_for_inputs(graph);
  std::vector<Tensor> outputs;
  REQUIRE((*session)->run(inputs, outputs));
  auto wanted = evaluate_graph(graph, inputs, {}, 1'000'000);
  REQUIRE(wanted);
  CHECK(difference(outputs[0], wanted->outputs[0]) == "");
  CHECK(program->memory()[0].weight_bytes > 0);
  CHECK(program->memory()[1].weight_bytes == 0);
  // Where the device takes it, the weight stays in its integers.
  fakes.devices[0]->refuse = nullptr;
  auto encoded = compile(fakes, text);
  const Graph& fused = encoded->graph();
  const ValueId weight = fused.node(fused.order()[0]).inputs[1];
  CHECK_FALSE(fused.value(weight).type.encoding.is_plain());
}

TEST_CASE("elementwise nodes of two devices are not fused into one chain") {
  const std::string text = R"(graph {
    input %x : float32[8, 64]
    %a = Exp(%x)
    %b = Neg(%a)
    %c = Sigmoid(%b)
    %d = Neg(%c)
    output %d
  })";
  Fakes fakes = make_fakes(2, 1);
  CHECK(ops_on(compile(fakes, text)->graph(), 0) == "polaris.Chain ");
  fakes.devices[0]->refuses = {"Sigmoid"};
  const auto split = compile(fakes, text);
  CHECK(ops_on(split->graph(), 0) == "polaris.Chain Neg ");
  CHECK(ops_on(split->graph(), 1) == "Sigmoid ");
}

}  // namespace polaris::test
