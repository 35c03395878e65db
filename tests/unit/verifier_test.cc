#include "ir/verifier.h"

#include <doctest/doctest.h>

#include "ir/op_set.h"
#include "ir/text.h"

namespace polaris {
namespace {

Graph parse(const OpSet& ops, std::string_view text) {
  auto graph = parse_graph(text, ops);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  return graph.take();
}

std::string problem(const Graph& graph) {
  const auto s = verify_graph(graph);
  return s ? "" : s.error().message();
}

constexpr std::string_view kSmall = R"(graph g {
  input %x : float32[2, 2]
  input %cond : bool[]
  state %h : float32[2, 2]
  const %w : float32[2, 2] = [1, 2, 3, 4]
  %a = Add(%x, %w)
  %b = Mul(%a, %h)
  %r = If(%cond, %b) graph {
    input %p : float32[2, 2]
    %q = Neg(%p)
    output %q
  } graph {
    input %p : float32[2, 2]
    output %p
  }
  output %r
  update %h = %b
})";

TEST_CASE("a right graph passes") {
  const OpSet ops = OpSet::builtin();
  CHECK(problem(parse(ops, kSmall)) == "");
}

TEST_CASE("what is wrong is named") {
  const OpSet ops = OpSet::builtin();
  Graph g = parse(ops, kSmall);
  const NodeId a = g.order()[0];
  const NodeId b = g.order()[1];
  const NodeId r = g.order()[2];
  const ValueId a_out = g.node(a).outputs[0];

  SUBCASE("order") {
    g.node(a).inputs[1] = g.node(b).outputs[0];
    CHECK(problem(g) ==
          "[Add] node 'a': input 1, got the value 'b', wanted one that is defined before the node");
  }
  SUBCASE("a value of nothing") {
    g.node(a).inputs[1] = ValueId{1000};
    CHECK(problem(g).find("out of range") != std::string::npos);
  }
  SUBCASE("a removed producer") {
    g.remove_nodes({&a, 1});
    CHECK(problem(g).find("[Mul] node 'b': input 0, got the value 'a'") == 0);
  }
  SUBCASE("type") {
    g.value(a_out).type.shape = {2, 3};
    CHECK(problem(g) ==
          "[Add] node 'a': type of output 0, got float32[2, 3], wanted float32[2, 2]");
  }
  SUBCASE("constant bytes") {
    const ValueId w = g.node(a).inputs[1];
    g.value(w).type.dtype = DType::kF16;
    CHECK(problem(g).find("constant 'w', got data float32[2, 2], wanted float16[2, 2]") !=
          std::string::npos);
  }
  SUBCASE("encoded where plain is wanted") {
    Tensor t = *Tensor::allocate({DType::kF32, {2, 32}, Encoding::of(BlockFormat::kQ8_0)});
    g.node(a).inputs[1] = g.add_constant("q", t);
    CHECK(problem(g).find("polaris.Decode") != std::string::npos);
  }
  SUBCASE("two outputs of one name") {
    g.mark_output(a_out, "r");
    CHECK(problem(g) == "[graph] 'g': two outputs are named 'r'");
  }
  SUBCASE("a symbol beyond the table") {
    g.value(a_out).type.shape = {symbol_dim(3), 2};
    CHECK(problem(g).find("names a symbol beyond the table of 0") != std::string::npos);
  }
  SUBCASE("a branch with another signature") {
    g.node(r).subgraphs[1]->add_input("extra", {DType::kF32, {}, {}});
    CHECK(problem(g) == "[If] node 'r': inputs of a subgraph, got 2, wanted 1");
  }
  SUBCASE("an error inside a branch says where") {
    Graph& sub = *g.node(r).subgraphs[0];
    sub.node(sub.order()[0]).inputs[0] = kNoValue;
    CHECK(problem(g) == "in r: [Neg] node 'q': input 0 'X' is missing");
  }
  SUBCASE("subgraphs on an op that has none") {
    g.node(a).subgraphs.push_back(std::make_unique<Graph>());
    CHECK(problem(g) == "[Add] node 'a': subgraphs, got 1, wanted 0");
  }
  SUBCASE("a state updated with another type") {
    g.set_state_update(0, g.inputs()[1]);
    CHECK(problem(g).find("state 'h', got an update bool[]") != std::string::npos);
  }
}

}  // namespace
}  // namespace polaris
