// Where stages end, what they take over and hand on, and what planning refuses.

#include "plan/stage_planner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "plan/host_values.h"
#include "support/fake_device.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

struct Case {
  std::vector<std::unique_ptr<FakeDevice>> owned;
  std::vector<Device*> devices;
  Graph graph;
  Placement placement;
  ValueFlags host_needed;
  LastReaders last_reader;
  std::vector<TensorType> states;
  std::vector<LiveIn> live;

  explicit Case(std::string_view text, int count = 1) : graph(graph_from_text(text)) {
    for (int d = 0; d < count; ++d) {
      owned.push_back(std::make_unique<FakeDevice>("fake:" + std::to_string(d)));
      devices.push_back(owned.back().get());
    }
    placement = placement_of(graph);
    host_needed = host_needed_values(graph);
    last_reader = last_readers(graph);
    for (const StateUse& use : graph.states()) states.push_back(use.state->type);
    for (ValueId id : graph.inputs()) live.push_back({id, graph.value(id).type, kHost, {}});
  }
  void on(std::size_t node, DeviceIndex device) { placement.node[graph.order()[node]] = device; }
  Result<Stage> plan(std::size_t begin = 0) {
    const PlanContext context{devices, &placement, &host_needed, &last_reader, states, true};
    return plan_stage(context, graph, begin, live);
  }
};

/// "L" for each launch, "T" for each transfer, "|" between segments.
std::string steps_of(const Stage& stage) {
  std::string out;
  for (const Step& step : stage.steps) {
    if (std::get_if<TransferStep>(&step) != nullptr) {
      out += "T";
      continue;
    }
    const auto& segment = std::get<SegmentStep>(step);
    out += "[" + std::to_string(segment.device) + std::string(segment.launches.size(), 'L') + "]";
  }
  return out;
}

Tensor ints(const std::vector<std::int64_t>& values) {
  auto tensor =
      Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(values.size())}, values);
  REQUIRE(tensor);
  return tensor.take();
}

}  // namespace

TEST_CASE("stage: a graph of static shapes is one") {
  Case test(R"(graph {
    input %x : float32[4, 8]
    const %w : float32[8, 8] = random 1
    %a = MatMul(%x, %w)
    %b = Relu(%a)
    output %b
  })");
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  CHECK(stage->end == 2);
  CHECK_FALSE(stage->control.valid());
  CHECK(steps_of(*stage) == "[0LL]");
  REQUIRE(stage->weights.size() == 1);
  CHECK(stage->weights[0].of_graph);
  CHECK(stage->upload_bytes[0] >= 128);
  REQUIRE(stage->live_out.size() == 1);
  CHECK(stage->storages[static_cast<std::size_t>(stage->resolve(stage->live_out[0].at).storage)]
            .readback);
  CHECK(stage->flops > 0);
}

TEST_CASE("stage: it ends after a node whose shape hangs on data, and goes on with what came out") {
  Case test(R"(graph {
    input %x : float32[6]
    %n = NonZero(%x)
    %t = Transpose(%n)
    %y = GatherND(%x, %t)
    output %y
  })");
  auto first = test.plan();
  REQUIRE_MESSAGE(first, first.error().message());
  CHECK(first->end == 1);
  REQUIRE(first->live_out.size() == 1);
  CHECK(first->live_out[0].dims.storage >= 0);
  CHECK(first->live_out[0].type.shape == Shape{1, 6});  // the bound
  test.live.push_back({first->live_out[0].value, {DType::kI64, {1, 2}, {}}, 0, {}});
  const auto second = test.plan(first->end);
  REQUIRE_MESSAGE(second, second.error().message());
  CHECK(second->end == 3);
}

TEST_CASE("stage: it ends at control flow, which reads what it hands on") {
  Case test(R"(graph {
    input %c : bool[]
    input %x : float32[4]
    %a = Relu(%x)
    %y = If(%c, %a) graph { input %b : float32[4]
      %d = Neg(%b)
      output %d } graph { input %b : float32[4]
      %d = Exp(%b)
      output %d }
    %z = Neg(%y)
    output %z
  })");
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  CHECK(stage->end == 2);
  CHECK(stage->control == test.graph.order()[1]);
  REQUIRE(stage->live_out.size() == 1);
  CHECK(stage->live_out[0].value == test.graph.node(test.graph.order()[0]).outputs[0]);
}

TEST_CASE("stage: it ends before a node whose shape was just computed, and folds it once known") {
  Case test(R"(graph {
    input %x : float32[2, 6]
    input %n : float32[2]
    %s = Cast(%n, to = int64)
    %r = Relu(%x)
    %y = Reshape(%r, %s)
    output %y
  })");
  const auto first = test.plan();
  REQUIRE_MESSAGE(first, first.error().message());
  CHECK(first->end == 2);
  const Graph& graph = test.graph;
  test.live = {
      {graph.node(graph.order()[0]).outputs[0], {DType::kI64, {2}, {}}, kHost, ints({3, 4})},
      {graph.node(graph.order()[1]).outputs[0], {DType::kF32, {2, 6}, {}}, 0, {}}};
  const auto second = test.plan(2);
  REQUIRE_MESSAGE(second, second.error().message());
  CHECK(second->end == 3);
  CHECK(second->live_out[0].type.shape == Shape{3, 4});
  // A view: the bytes are the live-in's.
  CHECK(second->steps.empty());
  // Without the data there is no way on, which must not loop for ever.
  test.live[0].known = {};
  const auto stuck = test.plan(2);
  REQUIRE_FALSE(stuck);
  CHECK(stuck.error().message().find("no progress") != std::string::npos);
}

TEST_CASE("stage: what the host evaluated before it is given") {
  Case test(R"(graph {
    input %x : float32[9, 4]
    input %i : int64[]
    const %two : int64[] = 2
    %end = Add(%i, %two)
    const %one : int64[] = 1
    %at = Range(%i, %end, %one)
    %y = Gather(%x, %at)
    output %y
  })");
  const Graph& graph = test.graph;
  test.live.push_back({graph.node(graph.order()[0]).outputs[0], {DType::kI64, {}, {}}, kHost, {}});
  test.live.push_back({graph.node(graph.order()[1]).outputs[0], {DType::kI64, {2}, {}}, kHost, {}});
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  CHECK(stage->end == 3);
  CHECK(steps_of(*stage) == "[0L]");
  CHECK(stage->weights.empty());  // the indices are uploaded
}

TEST_CASE("stage: values move between devices once, and constants to where they are read") {
  Case test(R"(graph {
    input %x : float32[4, 8]
    const %w : float32[8, 8] = random 1
    %a = MatMul(%x, %w)
    %b = MatMul(%a, %w)
    %c = Neg(%a)
    %d = Add(%b, %c)
    output %d
  })",
            2);
  for (std::size_t node : {1u, 2u, 3u}) test.on(node, 1);
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  CHECK(steps_of(*stage) == "[0L]T[1LLL]");
  CHECK(stage->weights.size() == 2);
  CHECK(stage->slab_bytes.size() == 2);
}

TEST_CASE("stage: a node runs on another device than it is placed on where its own has no kernel") {
  const std::string text = R"(graph {
    input %x : float32[4, 8]
    %a = Softmax(%x, axis = 1)
    output %a
  })";
  Case test(text, 2);
  test.owned[0]->refuses = {"Softmax"};
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  CHECK(steps_of(*stage) == "[1L]");
  test.owned[1]->refuses = {"Softmax"};
  const auto refused = test.plan();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kUnsupported);
  CHECK(refused.error().message().find("fake:0: [Softmax] refused") != std::string::npos);
  CHECK(refused.error().message().find("fake:1: [Softmax] refused") != std::string::npos);
}

TEST_CASE("stage: parts of a Concat are made in place; of one value twice they are not") {
  Case parts(R"(graph {
    input %x : float32[16, 8]
    %a = Relu(%x)
    %b = Neg(%x)
    %y = Concat(%a, %b, axis = 0)
    output %y
  })");
  const auto merged = parts.plan();
  REQUIRE_MESSAGE(merged, merged.error().message());
  CHECK(steps_of(*merged) == "[0LL]");
  Case twice(R"(graph {
    input %x : float32[16, 8]
    %a = Relu(%x)
    %y = Concat(%a, %a, axis = 0)
    output %y
  })");
  const auto copied = twice.plan();
  REQUIRE_MESSAGE(copied, copied.error().message());
  CHECK(steps_of(*copied) == "[0LL]");
}

TEST_CASE("stage: states that a chain of nodes writes in place are copied nowhere") {
  for (int writes = 1; writes <= 3; ++writes) {
    for (const bool swapped : {false, true}) {
      CAPTURE(writes);
      CAPTURE(swapped);
      std::string text = R"(graph {
        input %k : float32[2, 4]
        input %slots : int32[2]
        state %a0 : float32[2, 3, 4]
        state %b0 : float32[2, 3, 4]
        )";
      for (int i = 0; i < writes; ++i) {
        const auto name = [&](const char* stem, int n) { return stem + std::to_string(n); };
        const std::string a = swapped ? "%b" : "%a";
        const std::string b = swapped ? "%a" : "%b";
        text += name(a.c_str(), i + 1) + ", " + name(b.c_str(), i + 1) + " = polaris.KvWrite(" +
                name(a.c_str(), i) + ", " + name(b.c_str(), i) + ", %k, %k, %slots)\n";
      }
      const std::string last = std::to_string(writes);
      Case test(text + "output %slots\nupdate %a0 = %a" + last + "\nupdate %b0 = %b" + last + "}");
      const auto stage = test.plan();
      REQUIRE_MESSAGE(stage, stage.error().message());
      CHECK(steps_of(*stage) == "[0" + std::string(static_cast<std::size_t>(writes), 'L') + "]");
      for (std::size_t s = 0; s < 2; ++s) {
        const ValueId update = test.graph.states()[s].update;
        const auto out = std::ranges::find_if(
            stage->live_out, [&](const LiveOut& live) { return live.value == update; });
        REQUIRE(out != stage->live_out.end());
        const auto root = static_cast<std::size_t>(stage->resolve(out->at).storage);
        CHECK(stage->storages[root].kind == Storage::Kind::kState);
        CHECK(stage->storages[root].index == static_cast<std::int32_t>(s));
      }
    }
  }
}

TEST_CASE("stage: a result too large for one allocation is refused with its size") {
  Case test(R"(graph {
    input %x : float32[64, 64]
    %a = Softmax(%x, axis = 1)
    %b = Softmax(%a, axis = 1)
    output %b
  })");
  test.owned[0]->info_.allocation_bytes_max = 1024;
  const auto stage = test.plan();
  REQUIRE_FALSE(stage);
  CHECK(stage.error().code() == ErrorCode::kOutOfMemory);
  CHECK(stage.error().message().find("16384") != std::string::npos);
}

TEST_CASE("stage: planned constants belong to the plan, not to the graph") {
  Case test(R"(graph {
    symbol N
    input %x : float32[N, 4]
    %s = Shape(%x)
    %f = Cast(%s, to = float32)
    const %zero : int64[] = 0
    %m = Gather(%f, %zero)
    %y = Mul(%x, %m)
    output %y
  })");
  test.live[0].type.shape = {5, 4};
  const auto stage = test.plan();
  REQUIRE_MESSAGE(stage, stage.error().message());
  REQUIRE(stage->weights.size() == 1);
  CHECK_FALSE(stage->weights[0].of_graph);
  REQUIRE(stage->live_out.size() == 1);
}

}  // namespace polaris::test
