#include "ir/evaluate.h"

#include <doctest/doctest.h>

#include "ir/decompose.h"
#include "ir/evaluate_graph.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_set.h"
#include "ir/text/text.h"
#include "ir/verifier.h"

namespace polaris {
namespace {

Tensor floats(const Shape& shape, std::vector<float> v) {
  return *Tensor::from<float>(DType::kF32, shape, v);
}
Tensor ints(const Shape& shape, std::vector<std::int64_t> v) {
  return *Tensor::from<std::int64_t>(DType::kI64, shape, v);
}
std::vector<double> elements(const Tensor& t) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < t.elements(); ++i) out.push_back(element_as_f64(t, i));
  return out;
}
Graph parse(std::string_view text) {
  auto graph = parse_graph(text, OpSet::builtin());
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  return graph.take();
}
using Numbers = std::vector<double>;

TEST_CASE("a data-dependent output has its actual shape") {
  const OpSet ops = OpSet::builtin();
  const Tensor x = floats({2, 3}, {0, 1, 0, 2, 0, 3});
  const Tensor* inputs[] = {&x};
  auto out = evaluate_node(*ops.find("NonZero"), NoAttrs(), "n", inputs, 1);
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  CHECK((*out)[0].shape() == Shape{2, 3});
  CHECK(elements((*out)[0]) == Numbers{0, 1, 1, 1, 0, 2});
}

TEST_CASE("an output above the limit is refused before it is allocated") {
  const OpSet ops = OpSet::builtin();
  const Tensor x = ints({2}, {1 << 20, 1 << 20});
  const Tensor* inputs[] = {&x};
  const OpDef& op = *ops.find("ConstantOfShape");
  auto out = evaluate_node(op, *op.make_attrs(), "n", inputs, 1, 1 << 20);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().code() == ErrorCode::kOutOfMemory);
}

TEST_CASE("a required alias starts from its input and leaves it alone") {
  const OpSet ops = OpSet::builtin();
  const Tensor cache = floats({1, 2, 2}, {1, 2, 3, 4});
  const Tensor k = floats({1, 2}, {8, 9});
  const std::int32_t slot = 1;
  const Tensor slots = *Tensor::from<std::int32_t>(DType::kI32, {1}, {&slot, 1});
  const Tensor* inputs[] = {&cache, &cache, &k, &k, &slots};
  auto out = evaluate_node(*ops.find("KvWrite", "polaris"), NoAttrs(), "n", inputs, 2);
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  CHECK(elements((*out)[0]) == Numbers{1, 2, 8, 9});
  CHECK(elements(cache) == Numbers{1, 2, 3, 4});
}

TEST_CASE("Loop: trips, an early end, scan outputs, no trip at all") {
  const Graph g = parse(R"(graph {
    input %m : int64[]
    input %x : float32[2]
    const %limit : float32[] = 7
    %y, %all = Loop(%m, _, %x, %limit, captures = 1) graph {
      input %i : int64[]
      input %go : bool[]
      input %v : float32[2]
      input %k : float32[]
      %next = Add(%v, %v)
      %top = ReduceMax(%next, keepdims = false)
      %more = Less(%top, %k)
      output %more
      output %next
      output %v
    }
    output %y
    output %all
  })");
  const auto run = [&](std::int64_t m) {
    auto out = evaluate_graph(g, std::vector<Tensor>{ints({}, {m}), floats({2}, {1, 2})});
    REQUIRE_MESSAGE(out.ok(), out.error().message());
    return out.take();
  };
  GraphValues twice = run(2);
  CHECK(elements(twice.outputs[0]) == Numbers{4, 8});
  CHECK(elements(twice.outputs[1]) == Numbers{1, 2, 2, 4});
  CHECK(elements(run(100).outputs[0]) == Numbers{4, 8});
  GraphValues none = run(0);
  CHECK(elements(none.outputs[0]) == Numbers{1, 2});
  CHECK(none.outputs[1].shape() == Shape{0, 2});
}

TEST_CASE("a loop without an end runs out of steps") {
  const Graph g = parse(R"(graph {
    input %x : float32[1]
    %y = Loop(_, _, %x) graph {
      input %i : int64[]
      input %go : bool[]
      input %v : float32[1]
      output %go
      output %v
    }
    output %y
  })");
  auto out = evaluate_graph(g, std::vector<Tensor>{floats({1}, {1})}, {}, 1000);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().code() == ErrorCode::kExhausted);
}

TEST_CASE("If runs one branch; states start from their first value") {
  const Graph g = parse(R"(graph {
    input %c : bool[]
    state %h : float32[2] = [1, 2]
    %y = If(%c, %h) graph {
      input %a : float32[2]
      %r = Neg(%a)
      output %r
    } graph {
      input %a : float32[2]
      %r = Add(%a, %a)
      output %r
    }
    output %y
    update %h = %y
  })");
  for (const bool cond : {true, false}) {
    const std::uint8_t byte = cond ? 1 : 0;
    const std::vector<Tensor> in{*Tensor::from<std::uint8_t>(DType::kBool, {}, {&byte, 1})};
    auto out = evaluate_graph(g, in);
    REQUIRE_MESSAGE(out.ok(), out.error().message());
    CHECK(elements(out->states[0]) == (cond ? Numbers{-1, -2} : Numbers{2, 4}));
  }
}

TEST_CASE("a chain decomposes into the ops that define it") {
  const OpSet ops = OpSet::builtin();
  Graph g = parse(R"(graph {
    input %x : float32[2, 3]
    input %b : float32[3]
    %y = polaris.Chain(%x, %b, ops = ["Add", "Sigmoid", "Mul"],
                       args = [0, 1, -1, 2, -1, -1, 2, 3, -1])
    output %y
  })");
  const std::vector<Tensor> in{floats({2, 3}, {-2, -1, 0, 1, 2, 3}), floats({3}, {0.5f, 0, -1})};
  auto fused = evaluate_graph(g, in);
  REQUIRE_MESSAGE(fused.ok(), fused.error().message());
  auto done = decompose_nodes(g, std::vector<NodeId>(g.order()), ops);
  REQUIRE_MESSAGE(done.ok(), done.error().message());
  CHECK(g.order().size() == 3);
  auto plain = evaluate_graph(g, in);
  REQUIRE_MESSAGE(plain.ok(), plain.error().message());
  CHECK(elements(plain->outputs[0]) == elements(fused->outputs[0]));
}

TEST_CASE("nodes that read each other decompose in as many sweeps as one") {
  const OpSet ops = OpSet::builtin();
  const auto sweeps_of = [&](int count) {
    Graph g;
    const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
    ValueId last = x;
    std::vector<NodeId> chains;
    for (int i = 0; i < count; ++i) {
      auto attrs = std::make_unique<ChainAttrs>();
      attrs->ops = {"Neg", "Exp"};
      attrs->args = {0, -1, -1, 1, -1, -1};
      const std::string name = "n" + std::to_string(i);
      chains.push_back(g.add_node(ops.find("Chain", "polaris"), std::move(attrs), {last}, 1, name));
      REQUIRE(infer_node(g, chains.back()));
      last = g.node(chains.back()).outputs[0];
    }
    g.mark_output(last, "y");
    const std::vector<Tensor> in{floats({2}, {0.5f, -1})};
    auto fused = evaluate_graph(g, in);
    REQUIRE_MESSAGE(fused.ok(), fused.error().message());
    const std::int64_t before = g.sweeps();
    auto done = decompose_nodes(g, chains, ops);
    REQUIRE_MESSAGE(done.ok(), done.error().message());
    const std::int64_t sweeps = g.sweeps() - before;
    CHECK(g.order().size() == 2 * chains.size());
    CHECK(verify_graph(g));
    auto plain = evaluate_graph(g, in);
    REQUIRE_MESSAGE(plain.ok(), plain.error().message());
    CHECK(elements(plain->outputs[0]) == elements(fused->outputs[0]));
    return sweeps;
  };
  CHECK(sweeps_of(50) == sweeps_of(1));
}

TEST_CASE("a trip count or condition that is no single element is named") {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph(R"(graph {
    symbol N
    input %m : int64[N]
    input %go : bool[N]
    input %x : float32[2]
    %y = Loop(%m, %go, %x) graph {
      input %i : int64[]
      input %c : bool[]
      input %v : float32[2]
      %n = Neg(%v)
      output %c
      output %n
    }
    output %y
  })",
                           ops);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  const auto message = [&](const Tensor& m, const Tensor& go) {
    const std::vector<Tensor> inputs{m, go, *Tensor::allocate(DType::kF32, {2})};
    const auto run = evaluate_graph(*graph, inputs);
    return run ? std::string() : run.error().message();
  };
  const Tensor none = *Tensor::allocate(DType::kI64, {0});
  const Tensor one = *Tensor::allocate(DType::kI64, {1});
  CHECK(message(none, *Tensor::allocate(DType::kBool, {1})) ==
        "[Loop] node 'y': M, got int64[0], wanted one element");
  CHECK(message(one, *Tensor::allocate(DType::kBool, {0})) ==
        "[Loop] node 'y': cond, got bool[0], wanted one element");
  CHECK(message(one, *Tensor::allocate(DType::kBool, {1})) == "");
}

}  // namespace
}  // namespace polaris
