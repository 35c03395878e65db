#include "ir/infer.h"

#include <doctest/doctest.h>

#include "ir/any_rank.h"
#include "ir/op_attrs/control.h"
#include "ir/op_set.h"
#include "ir/text/text.h"

namespace polaris {
namespace {

struct Fixture {
  OpSet ops = OpSet::builtin();
  Graph g;
  ValueId add(Graph& graph, std::string_view op, std::vector<ValueId> inputs, std::string name) {
    const OpDef* def = ops.find(op);
    REQUIRE_MESSAGE(def != nullptr, op);
    return graph.node(graph.add_node(def, nullptr, std::move(inputs), 1, std::move(name)))
        .outputs[0];
  }
  ValueId ints(Graph& graph, std::vector<std::int64_t> v) {
    const Shape shape{static_cast<std::int64_t>(v.size())};
    return graph.add_constant("", *Tensor::from<std::int64_t>(DType::kI64, shape, v));
  }
  std::unique_ptr<Graph> body(DType dtype, Shape shape, std::string_view op) {
    auto out = std::make_unique<Graph>();
    out->add_input("i", {DType::kI64, {}, {}});
    const ValueId cond = out->add_input("cond", {DType::kBool, {}, {}});
    const ValueId x = out->add_input("x", {dtype, shape, {}});
    const ValueId k = out->add_input("k", {dtype, shape, {}});
    out->mark_output(cond, "cond");
    out->mark_output(add(*out, op, {x, k}, "next"), "next");
    out->mark_output(x, "scan");
    return out;
  }
};

TEST_CASE_FIXTURE(Fixture, "broadcast and reshape keep symbols") {
  const std::int64_t t = symbol_dim(g.add_symbol({"T", Symbol::Kind::kFree, 0}));
  const ValueId x = g.add_input("x", {DType::kF32, {t, 8}, {}});
  const ValueId b = g.add_input("b", {DType::kF32, {8}, {}});
  const ValueId sum = add(g, "Add", {x, b}, "sum");
  const ValueId view = add(g, "Reshape", {sum, ints(g, {0, 2, -1})}, "view");
  REQUIRE(infer_graph(g));
  CHECK(g.value(sum).type.shape == Shape{t, 8});
  CHECK(g.value(view).type.shape == Shape{t, 2, 4});
}

TEST_CASE("shape arithmetic carries symbols through, and what depends on them stays unknown") {
  auto graph = parse_graph(R"(graph {
    symbol T
    input %x : float32[T, 12]
    const %first : int64[1] = [0]
    const %second : int64[1] = [1]
    const %four : int64[1] = [4]
    %shape = Shape(%x)
    %t = Gather(%shape, %first)
    %n = Gather(%shape, %second)
    %three = Div(%n, %four)
    %wanted = Concat(%t, %four, %three, axis = 0)
    %y = Reshape(%x, %wanted)
    %many = Mul(%t, %n)
    %flat = Reshape(%x, %many)
    %least = Min(%t, %four)
    %part = ConstantOfShape(%least)
    output %y
    output %flat
    output %part
  })",
                           OpSet::builtin());
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  const auto shape = [&](std::size_t i) { return graph->value(graph->outputs()[i]).type.shape; };
  CHECK(shape(0) == Shape{symbol_dim(0), 4, 3});
  CHECK(shape(1) == Shape{kUnknownDim});
  CHECK(shape(2) == Shape{kUnknownDim});
}

TEST_CASE("what exporters write around shapes is known for every size") {
  auto graph = parse_graph(R"(graph {
    symbol B
    symbol T
    input %x : float32[B, T, 12]
    input %one : float32[1, 1, 12]
    const %zero : int64[] = 0
    const %n1 : int64[] = 1
    const %first : int64[1] = [0]
    const %second : int64[1] = [1]
    const %three : int64[1] = [3]
    const %minus : int64[3] = [-1, -1, -1]
    const %twelve : int64[1] = [12]
    const %hole : int64[1] = [-1]
    %shape = Shape(%x)
    %is_minus = Equal(%shape, %minus)
    %ones = ConstantOfShape(%three)
    %ints = Cast(%ones, to = int64)
    %target = Where(%is_minus, %ints, %shape)
    %expanded = Expand(%one, %target)
    %t = Gather(%shape, %n1)
    %positions = Range(%zero, %t, %n1)
    %b = Gather(%shape, %first)
    %many = Mul(%b, %twelve)
    %same = Div(%many, %twelve)
    %left = Sub(%same, %b)
    %none = Equal(%left, %first)
    %whole = Concat(%same, %second, %hole, axis = 0)
    %filled = ConstantOfShape(%same)
    %half = Div(%b, %three)
    %part = ConstantOfShape(%half)
    %flat = Reshape(%x, %whole)
    output %expanded
    output %positions
    output %filled
    output %part
    output %flat
    output %none
  })",
                           OpSet::builtin());
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  IdVector<ValueId, Tensor> known;
  REQUIRE(infer_graph(*graph, &known));
  const auto shape = [&](std::size_t i) { return graph->value(graph->outputs()[i]).type.shape; };
  CHECK(shape(0) == Shape{symbol_dim(0), symbol_dim(1), 12});
  CHECK(shape(1) == Shape{symbol_dim(1)});
  CHECK(shape(2) == Shape{symbol_dim(0)});
  CHECK(shape(3) == Shape{kUnknownDim});
  CHECK(shape(4).rank() == 3);
  const Tensor& none = known[graph->outputs()[5]];
  REQUIRE(none);
  CHECK(element_as_i64(none, 0) == 1);
}

TEST_CASE("Reshape keeps a symbol only where its size of 0 means the same") {
  auto graph = parse_graph(R"(graph {
    symbol B
    symbol T
    input %x : float32[T, B]
    input %y : float32[B, T]
    %shape = Shape(%y)
    %turned = Reshape(%x, %shape)
    %kept = Reshape(%x, %shape, allowzero = true)
    output %turned
    output %kept
  })",
                           OpSet::builtin());
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  const auto shape = [&](std::size_t i) { return graph->value(graph->outputs()[i]).type.shape; };
  CHECK(shape(0) == Shape{kUnknownDim, kUnknownDim});
  CHECK(shape(1) == graph->value(graph->inputs()[1]).type.shape);
}

TEST_CASE(
    "an If whose branches differ in rank gives a value of any rank, and what follows is inferred") {
  auto graph = parse_graph(R"(graph {
    symbol N
    symbol M
    input %x : float32[N, M]
    input %c : bool[]
    const %axis : int64[1] = [1]
    %y = If(%c, %x, %axis) graph {
      input %a : float32[N, M]
      input %b : int64[1]
      %r = Squeeze(%a, %b)
      output %r
    } graph {
      input %a : float32[N, M]
      input %b : int64[1]
      %r = Neg(%a)
      output %r
    }
    %z = Relu(%y)
    %g = Greater(%z, %y)
    %shape = Shape(%z)
    %t = Transpose(%y, perm = [1, 0])
    %s = ReduceSum(%z, keepdims = false)
    output %z
    output %g
    output %shape
    output %t
    output %s
  })",
                           OpSet::builtin());
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  const auto type = [&](std::size_t i) { return graph->value(graph->outputs()[i]).type; };
  CHECK(type(0) == TensorType{DType::kF32, any_rank(), {}});
  CHECK(type(1) == TensorType{DType::kBool, any_rank(), {}});
  CHECK(type(2) == TensorType{DType::kI64, {kUnknownDim}, {}});
  CHECK(type(3) == TensorType{DType::kF32, {kUnknownDim, kUnknownDim}, {}});
  CHECK(type(4) == TensorType{DType::kF32, {}, {}});
  CHECK(has_any_rank(*graph));
}

TEST_CASE("a branch that fits no shape at hand is an error only where it is sure to be taken") {
  const auto text = [](const char* cond) {
    return std::string(R"(graph {
      input %x : float32[2, 3]
      input %go : bool[]
      const %yes : bool[] = true
      const %no : bool[] = false
      const %four : int64[1] = [4]
      %y = If()") +
           cond + R"(, %x, %four) graph {
        input %a : float32[2, 3]
        input %b : int64[1]
        %r = Neg(%a)
        output %r
      } graph {
        input %a : float32[2, 3]
        input %b : int64[1]
        %i = Reshape(%a, %b)
        %r = Exp(%i)
        output %r
      }
      output %y
    })";
  };
  const OpSet ops = OpSet::builtin();
  for (const char* cond : {"%go", "%yes"}) {
    auto graph = parse_graph(text(cond), ops);
    REQUIRE_MESSAGE(graph.ok(), graph.error().message());
    CHECK(graph->value(graph->outputs()[0]).type == TensorType{DType::kF32, {2, 3}, {}});
  }
  const auto refused = parse_graph(text("%no"), ops);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("[Reshape] node 'i'") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a missing input is named before infer runs") {
  const ValueId x = g.add_input("x", {DType::kF32, {8}, {}});
  add(g, "Add", {x}, "lonely");
  const auto s = infer_graph(g);
  REQUIRE_FALSE(s);
  CHECK(s.error().message() == "[Add] node 'lonely': input 1 (B) is missing");
}

TEST_CASE_FIXTURE(Fixture, "Loop: carried values, scan outputs, captures") {
  const ValueId m = g.add_input("M", {DType::kI64, {}, {}});
  const ValueId x = g.add_input("x", {DType::kF32, {3}, {}});
  const ValueId k = g.add_input("k", {DType::kF32, {1}, {}});
  auto attrs = std::make_unique<LoopAttrs>();
  attrs->captures = 1;
  const NodeId loop =
      g.add_node(ops.find("Loop"), std::move(attrs), {m, kNoValue, x, k}, 2, "loop");
  g.node(loop).subgraphs.push_back(body(DType::kF32, {}, "Add"));
  REQUIRE(infer_graph(g));
  CHECK(g.value(g.node(loop).outputs[0]).type.shape == Shape{3});
  CHECK(g.value(g.node(loop).outputs[1]).type.shape == Shape{kUnknownDim, 3});
}

TEST_CASE_FIXTURE(Fixture, "Loop: a carried dim that changes becomes unknown") {
  const ValueId m = g.add_input("M", {DType::kI64, {}, {}});
  const ValueId x = g.add_input("x", {DType::kF32, {1, 4}, {}});
  const ValueId k = g.add_input("k", {DType::kF32, {6, 4}, {}});
  auto attrs = std::make_unique<LoopAttrs>();
  attrs->captures = 1;
  const NodeId loop =
      g.add_node(ops.find("Loop"), std::move(attrs), {m, kNoValue, x, k}, 2, "loop");
  g.node(loop).subgraphs.push_back(body(DType::kF32, {}, "Add"));
  REQUIRE(infer_graph(g));
  CHECK(g.value(g.node(loop).outputs[0]).type.shape == Shape{kUnknownDim, 4});
}

TEST_CASE_FIXTURE(Fixture, "If merges its branches' types") {
  const ValueId cond = g.add_input("cond", {DType::kBool, {}, {}});
  const ValueId x = g.add_input("x", {DType::kF32, {2, 3}, {}});
  const ValueId y = g.add_input("y", {DType::kF32, {2, 5}, {}});
  const NodeId node = g.add_node(ops.find("If"), nullptr, {cond, x, y}, 1, "if");
  for (int branch = 0; branch < 2; ++branch) {
    auto sub = std::make_unique<Graph>();
    const ValueId a = sub->add_input("a", {});
    const ValueId b = sub->add_input("b", {});
    sub->mark_output(add(*sub, "Neg", {branch == 0 ? a : b}, "n"), "r");
    g.node(node).subgraphs.push_back(std::move(sub));
  }
  REQUIRE(infer_graph(g));
  CHECK(g.value(g.node(node).outputs[0]).type.shape == Shape{2, kUnknownDim});
}

}  // namespace
}  // namespace polaris
