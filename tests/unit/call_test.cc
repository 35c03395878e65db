// Calls: a graph that several nodes run is one graph, with types that hold for all of them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/control.h"
#include "ir/evaluate_graph.h"
#include "ir/nested.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kThree = R"(graph {
  input %x : float32[2, 3]
  const %w : float32[3] = [1, -2, 0.5]
  const %v : float32[3] = [3, 2, 1]
  %a = polaris.Call(%x, %w) graph scale {
    input %p : float32[2, 3]
    input %q : float32[3]
    const %k : float32[3, 3] = random 1
    %m = MatMul(%p, %k)
    %r = Mul(%m, %q)
    output %r
  }
  %b = polaris.Call(%a, %v) graph scale
  %y = polaris.Call(%b, %w) graph scale
  output %y
})";

/// The same without calls.
constexpr std::string_view kInline = R"(graph {
  input %x : float32[2, 3]
  const %w : float32[3] = [1, -2, 0.5]
  const %v : float32[3] = [3, 2, 1]
  const %k : float32[3, 3] = random 1
  %m1 = MatMul(%x, %k)
  %a = Mul(%m1, %w)
  %m2 = MatMul(%a, %k)
  %b = Mul(%m2, %v)
  %m3 = MatMul(%b, %k)
  %y = Mul(%m3, %w)
  output %y
})";

Graph passed(Graph graph) {
  auto report = run_passes(graph, Target{}, OpSet::builtin(), {.disabled = {}, .verify = true});
  REQUIRE_MESSAGE(report, report.error().message());
  return graph;
}

void check_same(const Graph& got, const Graph& wanted) {
  const auto inputs = numbers_for_inputs(got);
  auto a = evaluate_graph(got, inputs);
  auto b = evaluate_graph(wanted, inputs);
  REQUIRE_MESSAGE(a, a.error().message());
  REQUIRE_MESSAGE(b, b.error().message());
  for (std::size_t o = 0; o < b->outputs.size(); ++o) {
    CHECK(difference(a->outputs[o], b->outputs[o], 1.0, 1e-5) == "");
  }
}

std::string error_of(std::string_view text) {
  auto graph = parse_graph(text, OpSet::builtin());
  REQUIRE_FALSE(graph);
  return graph.error().message();
}

/// A model of functions that each call the one before twice.
std::string doubling(int depth) {
  std::string call =
      "%y = polaris.Call(%x) graph f0 {\ninput %x : float32[2]\n%y = Neg(%x)\n"
      "output %y\n}\n";
  for (int i = 1; i < depth; ++i) {
    const std::string inner = "f" + std::to_string(i - 1);
    call = "%y = polaris.Call(%x) graph f" + std::to_string(i) + " {\ninput %x : float32[2]\n" +
           call + "%z = polaris.Call(%y) graph " + inner + "\noutput %z\n}\n";
  }
  return "graph {\ninput %x : float32[2]\n" + call + "output %y\n}";
}

}  // namespace

TEST_CASE("calls: a body called from three places is one graph, before passes and after") {
  const Graph graph = graph_from_text(kThree);
  CHECK(graphs_within(graph).size() == 2);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  check_same(graph, graph_from_text(kInline));
  const std::string text = print_graph(graph);
  CHECK(print_graph(graph_from_text(text)) == text);
  CHECK(graphs_within(graph_from_text(text)).size() == 2);
  CHECK(graphs_within(graph.clone()).size() == 2);
  const Graph after = passed(graph.clone());
  CHECK(graphs_within(after).size() == 2);
  // The constants that it is called with differ, so they stay outside.
  CHECK(after.node(after.order()[0]).inputs.size() == 2);
  check_same(after, graph_from_text(kInline));
}

TEST_CASE("calls: a body called from three places is planned once, on every device") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto program = program_from_text(runtime, kThree);
    auto plain = session_of(program_from_text(runtime, kInline));
    auto session = session_of(program);
    const auto inputs = numbers_for_inputs(graph_from_text(kThree));
    std::vector<Tensor> got;
    std::vector<Tensor> wanted;
    REQUIRE(session->run(inputs, got));
    REQUIRE(plain->run(inputs, wanted));
    CHECK(difference(got[0], wanted[0], 1.0, 1e-5) == "");
    // The body, and what leads to each call of it.
    CHECK(program->plans_created() == 1 + 3);
    REQUIRE(session->run(inputs, got));
    CHECK(program->plans_created() == 1 + 3);
  }
}

TEST_CASE("calls: dims that differ from call to call are open inside and known outside") {
  constexpr std::string_view kText = R"(graph {
    input %x : float32[2, 3]
    input %y : float32[5, 3]
    %a, %m = polaris.Call(%x) graph f {
      input %p : float32[2, 3]
      %s = Shape(%p)
      %r = Neg(%p)
      output %r
      output %s
    }
    %b, %n = polaris.Call(%y) graph f
    output %a
    output %m
    output %b
    output %n
  })";
  Graph graph = graph_from_text(kText);
  const Graph& f = *graph.node(graph.order()[0]).subgraphs[0];
  CHECK(f.value(f.inputs()[0]).type.shape == Shape{kUnknownDim, 3});
  CHECK(graph.value(graph.outputs()[0]).type.shape == Shape{2, 3});
  CHECK(graph.value(graph.outputs()[2]).type.shape == Shape{5, 3});
  // A pass that looks at the body alone must not take one call's sizes for all.
  const auto inputs = numbers_for_inputs(graph);
  const Graph after = passed(graph.clone());
  auto values = evaluate_graph(after, inputs);
  REQUIRE_MESSAGE(values, values.error().message());
  CHECK(values->outputs[1].data<std::int64_t>()[0] == 2);
  CHECK(values->outputs[3].data<std::int64_t>()[0] == 5);
}

TEST_CASE("calls: element types and ranks each have a copy, whichever call comes first") {
  const std::string types[] = {"float32[2]", "int64[2]", "float32[1, 2]", "float32[4]"};
  const auto call = [](int i, bool first) {
    return "%y" + std::to_string(i) + " = polaris.Call(%x" + std::to_string(i) + ") graph f" +
           (first ? " {\ninput %p : float32[2]\n%r = Neg(%p)\noutput %r\n}\n" : "\n");
  };
  for (int turn = 0; turn < 4; ++turn) {
    std::string inputs;
    std::string body;
    for (int i = 0; i < 4; ++i) {
      inputs += "input %x" + std::to_string(i) + " : " +
                types[static_cast<std::size_t>((i + turn) % 4)] + "\n";
      body += call(i, i == 0);
    }
    for (int i = 0; i < 4; ++i) body += "output %y" + std::to_string(i) + "\n";
    const Graph graph = graph_from_text("graph {\n" + inputs + body + "}");
    // Two of the four are alike.
    CHECK(graphs_within(graph).size() == 4);
    const auto verified = verify_graph(graph);
    CHECK_MESSAGE(verified, verified.error().message());
    const auto numbers = numbers_for_inputs(graph);
    const Graph after = passed(graph.clone());
    for (const Graph* at : {&graph, &after}) {
      auto values = evaluate_graph(*at, numbers);
      REQUIRE_MESSAGE(values, values.error().message());
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK(values->outputs[i].type() == numbers[i].type());
        CHECK(values->outputs[i].elements() == numbers[i].elements());
      }
    }
  }
}

TEST_CASE("calls: in a Loop, in a branch and in each other") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[3]
    input %flag : bool[]
    const %n : int64[] = 4
    %a = polaris.Call(%x) graph twice {
      input %p : float32[3]
      %q = polaris.Call(%p) graph once {
        input %p : float32[3]
        const %half : float32[] = 0.5
        %r = Mul(%p, %half)
        output %r
      }
      %r = polaris.Call(%q) graph once
      output %r
    }
    %b = Loop(%n, _, %a) graph {
      input %i : int64[]
      input %go : bool[]
      input %v : float32[3]
      %w = polaris.Call(%v) graph once
      %u = Add(%w, %w)
      output %go
      output %u
    }
    %y = If(%flag, %b) graph {
      input %c : float32[3]
      %r = polaris.Call(%c) graph twice
      output %r
    } graph {
      input %c : float32[3]
      output %c
    }
    output %y
  })");
  CHECK(graphs_within(graph).size() == 6);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  const std::string text = print_graph(graph);
  CHECK(print_graph(graph_from_text(text)) == text);
  const Graph after = passed(graph.clone());
  for (const std::string name : {"", "reference", "cpu", "vulkan"}) {
    auto runtime = name.empty() ? nullptr : make_runtime({name});
    if (!runtime && !name.empty()) continue;
    CAPTURE(name);
    for (const std::uint8_t flag : {0, 1}) {
      const std::vector<Tensor> inputs = {
          floats({3}, {8, -16, 1}), *Tensor::from<std::uint8_t>(DType::kBool, {}, {&flag, 1})};
      std::vector<Tensor> outputs;
      if (runtime) {
        auto session = session_of(program_from_text(runtime, text));
        const Status status = session->run(inputs, outputs, {});
        REQUIRE_MESSAGE(status, status.error().message());
      } else {
        auto values = evaluate_graph(after, inputs);
        REQUIRE_MESSAGE(values, values.error().message());
        outputs = values->outputs;
      }
      const float scale = flag != 0 ? 0.0625f : 0.25f;
      CHECK(to_floats(outputs[0]) == std::vector<float>{8 * scale, -16 * scale, scale});
    }
  }
}

TEST_CASE("calls: what is called with values is inferred with them") {
  const Graph graph = graph_from_text(R"(graph {
    input %x : float32[6]
    const %two : int64[2] = [2, 3]
    const %three : int64[2] = [3, 2]
    %a = polaris.Call(%x, %two) graph f {
      input %p : float32[6]
      input %s : int64[2]
      %r = Reshape(%p, %s)
      output %r
    }
    %b = polaris.Call(%x, %three) graph f
    output %a
    output %b
  })");
  CHECK(graph.value(graph.outputs()[0]).type.shape == Shape{2, 3});
  CHECK(graph.value(graph.outputs()[1]).type.shape == Shape{3, 2});
  const Graph& f = *graph.node(graph.order()[0]).subgraphs[0];
  CHECK_FALSE(f.value(f.outputs()[0]).type.shape.is_static());
  const auto inputs = numbers_for_inputs(graph);
  auto values = evaluate_graph(passed(graph.clone()), inputs);
  REQUIRE_MESSAGE(values, values.error().message());
  CHECK(values->outputs[0].shape() == Shape{2, 3});
  CHECK(values->outputs[1].shape() == Shape{3, 2});
}

TEST_CASE("calls: chains that double are as long to infer as to write, and depth is bounded") {
  const Graph graph = graph_from_text(doubling(16));
  CHECK(graphs_within(graph).size() == 17);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  passed(graph.clone());
  const std::string deep = error_of(doubling(18));
  CAPTURE(deep);
  CHECK(deep.find("nested deeper than 16") != std::string::npos);
}

TEST_CASE("calls: a graph that runs itself is refused") {
  Graph graph = graph_from_text(kThree);
  auto& f = graph.node(graph.order()[0]).subgraphs[0];
  const NodeId id = f->add_node(graph.node(graph.order()[0]).op, nullptr, f->inputs(), 1, "again");
  f->node(id).subgraphs.push_back(f);
  const auto verified = verify_graph(graph);
  const auto inferred = infer_graph(graph);
  f->node(id).subgraphs.clear();  // a ring of owners is never freed
  REQUIRE_FALSE(verified);
  CHECK(verified.error().message() == "[graph] 'scale' runs itself");
  REQUIRE_FALSE(inferred);
  CHECK(inferred.error().message() == "[graph] 'scale' runs itself");
}

TEST_CASE("calls: text that names no graph, or shares what no call may share, is refused") {
  CHECK(error_of("graph {\ninput %x : float32[2]\n%y = polaris.Call(%x) graph f\noutput %y\n}")
            .find("graph 'f' is called") != std::string::npos);
  CHECK(error_of("graph {\ninput %x : float32[2]\n%y = polaris.Call(%x) graph f {\n"
                 "input %x : float32[2]\n%y = polaris.Call(%x) graph f\noutput %y\n}\noutput %y\n}")
            .find("graph 'f' is called") != std::string::npos);
  CHECK(error_of("graph {\ninput %x : float32[2]\ninput %c : bool[]\n"
                 "%z = polaris.Call(%x) graph f {\ninput %x : float32[2]\noutput %x\n}\n"
                 "%y = If(%c, %x) graph f graph f\noutput %y\n}")
            .find("graph 'f' is called") != std::string::npos);
  Graph graph = graph_from_text(
      "graph {\ninput %x : float32[2]\ninput %c : bool[]\n%y = If(%c, %x) graph {\n"
      "input %x : float32[2]\noutput %x\n} graph {\ninput %x : float32[2]\noutput %x\n}\n"
      "output %y\n}");
  Node& node = graph.node(graph.order()[0]);
  node.subgraphs[1] = node.subgraphs[0];
  const auto verified = verify_graph(graph);
  REQUIRE_FALSE(verified);
  CHECK(verified.error().message().find("which another node has") != std::string::npos);
}

}  // namespace polaris::test
