// A weight comes to a device once: however many iterations of a loop, runs, sessions, functions and
// programs read it.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/state_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// What a loop's body does with %acc [1, 8] to have %part of the same shape.
struct Body {
  std::string name;
  std::string text;
};

const std::vector<Body>& bodies() {
  static const std::vector<Body> all = {
      {"a product", "const %w : float32[8, 8] = random 1\n%part = MatMul(%acc, %w)"},
      {"a sum and a product with one constant", R"(
        const %w : float32[8, 8] = random 1
        %p = MatMul(%acc, %w)
        %s = Add(%p, %w)
        const %rows : int64[1] = [0]
        %part = ReduceMean(%s, %rows, keepdims = 1))"},
      {"a table", R"(
        const %w : float32[9, 8] = random 1
        const %one : int64[1] = [0]
        const %nine : int64[] = 9
        %turn = Mod(%i, %nine)
        %at = Unsqueeze(%turn, %one)
        %part = Gather(%w, %at))"},
      {"a convolution", R"(
        const %w : float32[8, 8, 1, 1] = random 1
        const %bias : float32[8] = random 2
        const %square : int64[4] = [1, 8, 1, 1]
        const %flat : int64[2] = [1, 8]
        %image = Reshape(%acc, %square)
        %conv = Conv(%image, %w, %bias)
        %part = Reshape(%conv, %flat))"},
      {"a quantized weight", R"(
        const %q : int8[8, 8] = random 1
        const %scale : float32[] = 0.01
        %w = DequantizeLinear(%q, %scale)
        %part = MatMul(%acc, %w))"},
      {"a branch", R"(
        const %two : int64[] = 2
        const %none : int64[] = 0
        %rest = Mod(%i, %two)
        %even = Equal(%rest, %none)
        %part = If(%even, %acc) graph {
          input %a : float32[1, 8]
          const %w : float32[8, 8] = random 1
          %p = MatMul(%a, %w)
          output %p
        } graph {
          input %a : float32[1, 8]
          const %w : float32[8, 8] = random 2
          %p = MatMul(%a, %w)
          output %p
        })"},
      {"a loop", R"(
        const %inner : int64[] = 3
        %part = Loop(%inner, _, %acc) graph {
          input %j : int64[]
          input %d : bool[]
          input %a : float32[1, 8]
          const %w : float32[8, 8] = random 1
          %p = MatMul(%a, %w)
          %more = Identity(%d)
          output %more
          output %p
        })"}};
  return all;
}

std::string loop_over(const std::string& body) {
  return R"(graph {
    input %trips : int64[]
    input %x : float32[1, 8]
    %y = Loop(%trips, _, %x) graph {
      input %i : int64[]
      input %c : bool[]
      input %acc : float32[1, 8]
      )" +
         body + R"(
      %next = Tanh(%part)
      %go = Identity(%c)
      output %go
      output %next
    }
    output %y
  })";
}

/// A loop's inputs, and what it gives by definition.
struct Trips {
  std::vector<Tensor> inputs;
  Tensor wanted;
};

Trips trips_of(const Graph& graph, std::int64_t trips) {
  Trips out;
  out.inputs = {*Tensor::from<std::int64_t>(DType::kI64, {}, {&trips, 1}),
                floats({1, 8}, {0.5f, -0.4f, 0.3f, 0.2f, -0.1f, 0.1f, 0.4f, -0.2f})};
  auto defined = evaluate_graph(graph, out.inputs, {}, 1'000'000);
  REQUIRE_MESSAGE(defined, defined.error().message());
  out.wanted = defined->outputs[0];
  return out;
}

std::int64_t brought(Runtime& runtime) {
  std::int64_t sum = 0;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) sum += runtime.weights(d).brought();
  return sum;
}

std::int64_t live(Runtime& runtime) {
  std::int64_t sum = 0;
  for (DeviceIndex d = 0; d < runtime.device_count(); ++d) sum += runtime.weights(d).live_count();
  return sum;
}

void run_once(Session& session, const Trips& trips) {
  std::vector<Tensor> outputs;
  const Status status = session.run(trips.inputs, outputs);
  REQUIRE_MESSAGE(status, status.error().message());
  CHECK(difference(outputs[0], trips.wanted, 1.0, 1e-4) == "");
}

}  // namespace

TEST_CASE("weights of a loop's body come once, over 500 iterations, two sessions, two programs") {
  for (const Body& body : bodies()) {
    CAPTURE(body.name);
    const Graph graph = graph_from_text(loop_over(body.text));
    const Trips many = trips_of(graph, 500);
    const Trips few = trips_of(graph, 5);
    for (const auto& names : state_devices()) {
      CAPTURE(names.front());
      CAPTURE(names.back());
      auto runtime = make_runtime(names);
      if (!runtime) continue;
      auto program = Program::compile(runtime, graph.clone());
      REQUIRE_MESSAGE(program, program.error().message());
      auto session = session_of(*program);
      run_once(*session, many);
      const std::int64_t first = brought(*runtime);
      CHECK(first > 0);
      CHECK(live(*runtime) == first);  // each that is there came once, and none has gone
      run_once(*session, few);
      CHECK(brought(*runtime) == first);
      auto other_session = session_of(*program);
      run_once(*other_session, few);
      CHECK(brought(*runtime) == first);
      auto other = Program::compile(runtime, graph.clone());
      REQUIRE_MESSAGE(other, other.error().message());
      run_once(*session_of(*other), few);
      CHECK(brought(*runtime) == first);
    }
  }
}

TEST_CASE("weights that two functions read come once") {
  // The same bytes, each function holding them for itself.
  const auto function = [](const std::string& name, const std::string& end) {
    return "graph " + name + R"( {
      input %x : float32[4, 32]
      input %at : int32[4]
      const %table : float32[16, 32] = random 3
      const %w : float32[32, 32] = random 1
      const %v : float32[32, 32] = random 2
      %rows = Gather(%table, %at)
      %in = Add(%x, %rows)
      %a = MatMul(%in, %w)
      %b = Tanh(%a)
      %c = MatMul(%b, %v)
      %y = )" +
           end + "(%c)\noutput %y\n}\n";
  };
  const std::string one = function("one", "Relu");
  const std::string two = function("two", "Neg");
  for (const auto& names : state_devices()) {
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto alone = make_runtime(names);
    auto both = make_runtime(names);
    if (!alone || !both) continue;
    Bindings bindings;
    bindings.input("x", floats({4, 32}, std::vector<float>(128, 0.25f)));
    bindings.input("at", ints({4}, {3, 1, 0, 15})).output("y");
    run_bound(*session_of(program_from_text(alone, one)), "one", bindings);
    const std::int64_t wanted = brought(*alone);
    CHECK(wanted > 0);
    auto session = session_of(program_from_text(both, one + two));
    run_bound(*session, "one", bindings);
    CHECK(brought(*both) == wanted);
    run_bound(*session, "two", bindings);
    CHECK(brought(*both) == wanted);
    run_bound(*session, "one", bindings);
    CHECK(brought(*both) == wanted);
  }
}

}  // namespace polaris::test
