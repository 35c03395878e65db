#include "ir/verifier.h"

#include <doctest/doctest.h>

#include "ir/infer.h"
#include "ir/op_set.h"
#include "ir/ports.h"
#include "ir/text/text.h"

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
    CHECK(problem(g) == "in r: [Neg] node 'q': input 0 (X) is missing");
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

/// A node of `op` whose inputs are all there but for number `absent`; control ops get bodies that
/// hand their inputs out.
struct Gap {
  Graph graph;
  NodeId node;
};

Gap with_gap(const OpDef& op, std::size_t inputs, std::size_t absent, DType dtype) {
  Gap out;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs; ++i) {
    const bool host = (op.input_flags(static_cast<int>(i)) & kHostRead) != 0;
    const TensorType type = host ? TensorType{DType::kI64, {1}, {}} : TensorType{dtype, {2, 3}, {}};
    const ValueId id = out.graph.add_input("x" + std::to_string(i), type);
    values.push_back(i == absent ? kNoValue : id);
  }
  out.node = out.graph.add_node(&op, nullptr, values, 1, "n");
  const std::size_t own = op.is("If") ? 1 : 0;
  const std::size_t bodies = op.is("If") ? 2 : op.is("Loop") ? 1 : 0;
  for (std::size_t b = 0; b < bodies; ++b) {
    auto body = std::make_unique<Graph>();
    for (std::size_t i = own; i < inputs; ++i) body->add_input("b" + std::to_string(i), {});
    for (ValueId id : body->inputs()) {
      if (own == 1 ? body->outputs().empty() : id != body->inputs()[0]) body->mark_output(id, "o");
    }
    out.graph.node(out.node).subgraphs.push_back(std::move(body));
  }
  return out;
}

TEST_CASE("an input that is absent where one must be is an error that names it, for every op") {
  const OpSet ops = OpSet::builtin();
  int refused = 0;
  for (const OpDef* op : ops.all()) {
    const bool variadic = !op->inputs.empty() && (op->inputs.back().flags & kVariadic) != 0;
    const std::size_t inputs = op->inputs.size() + (variadic ? 2 : 0);
    for (std::size_t absent = 0; absent < inputs; ++absent) {
      for (DType dtype : {DType::kF32, DType::kI64, DType::kBool}) {
        CAPTURE(op->name);
        CAPTURE(absent);
        Gap gap = with_gap(*op, inputs, absent, dtype);
        const bool listed = variadic && absent + 1 >= op->inputs.size();
        const bool needed = listed || (op->input_flags(static_cast<int>(absent)) & kOptional) == 0;
        const std::string name = "input " + std::to_string(absent) + " ";
        for (const Status& s :
             {check_ports(gap.graph.node(gap.node)), infer_graph(gap.graph),
              infer_node(gap.graph, gap.node), verify_graph(gap.graph, {.types = false})}) {
          if (!needed) continue;
          REQUIRE_FALSE(s);
          CHECK(s.error().message().find("missing") != std::string::npos);
          CHECK(s.error().message().find(name) != std::string::npos);
          CHECK(s.error().message().find("'n'") != std::string::npos);
        }
        refused += needed ? 1 : 0;
      }
    }
  }
  CHECK(refused > 300);
}

TEST_CASE("what a node updates in place is a state") {
  const OpSet ops = OpSet::builtin();
  Graph g;
  const OpDef* write = ops.find("KvWrite", "polaris");
  REQUIRE(write != nullptr);
  const TensorType cache{DType::kF32, {2, 4, 8}, {}};
  const TensorType rows{DType::kF32, {3, 8}, {}};
  const ValueId state = g.add_state("k", cache, nullptr, false);
  const ValueId other = g.add_input("other", cache);
  std::vector<ValueId> inputs{state, other};
  for (std::size_t i = inputs.size(); i < write->inputs.size(); ++i) {
    inputs.push_back(g.add_input("x" + std::to_string(i), rows));
  }
  const NodeId node = g.add_node(write, nullptr, inputs, 2, "w");
  CHECK(problem(g).find("[polaris.KvWrite] node 'w': input 1, got the value 'other', wanted a "
                        "state") == 0);
  // A second write goes on where the first ended.
  const ValueId second = g.add_state("v", cache, nullptr, false);
  g.node(node).inputs[1] = second;
  std::vector<ValueId> again = inputs;
  again[0] = g.node(node).outputs[0];
  again[1] = g.node(node).outputs[1];
  g.add_node(write, nullptr, again, 2, "w2");
  CHECK(problem(g).find("wanted a state") == std::string::npos);
}

}  // namespace
}  // namespace polaris
