#include "ir/graph.h"

#include <doctest/doctest.h>

#include "ir/op_set.h"

namespace polaris {
namespace {

struct Fixture {
  OpSet ops = OpSet::builtin();
  Graph g;
  NodeId add(std::string_view op, std::vector<ValueId> inputs, std::string name) {
    return g.add_node(ops.find(op), nullptr, std::move(inputs), 1, std::move(name));
  }
  ValueId out(NodeId id) { return g.node(id).outputs[0]; }
};

TEST_CASE_FIXTURE(Fixture, "replace_uses rewires nodes, outputs and state updates") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const ValueId s = g.add_state("s", {DType::kF32, {2}, {}}, nullptr, false);
  const NodeId a = add("Neg", {x}, "a");
  const NodeId b = add("Add", {out(a), s}, "b");
  g.mark_output(out(a), "y");
  g.set_state_update(0, out(a));
  IdVector<ValueId, ValueId> to(g.value_count());
  to[out(a)] = x;
  g.replace_uses(to);
  CHECK(g.node(b).inputs == std::vector<ValueId>{x, s});
  CHECK(g.outputs()[0] == x);
  CHECK(g.states()[0].update == x);
}

TEST_CASE_FIXTURE(Fixture, "references to values, nodes and symbols outlive additions") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const NodeId a = add("Neg", {x}, "a");
  g.add_symbol({"first", Symbol::Kind::kFree, 0});
  const Value& value = g.value(x);
  const Node& node = g.node(a);
  const Symbol& symbol = g.symbols()[0];
  std::vector<const Value*> seen;
  for (int i = 0; i < 5000; ++i) {
    const ValueId c = g.add_constant("c" + std::to_string(i), *Tensor::allocate(DType::kF32, {1}));
    seen.push_back(&g.value(c));
    add("Neg", {c}, "n" + std::to_string(i));
    g.add_symbol({"s" + std::to_string(i), Symbol::Kind::kFree, 0});
  }
  CHECK(&value == &g.value(x));
  CHECK(&node == &g.node(a));
  CHECK(&symbol == &g.symbols()[0]);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    REQUIRE(seen[i]->name == "c" + std::to_string(i));
  }
}

TEST_CASE_FIXTURE(Fixture, "nested graphs share their symbols, a clone has its own") {
  Graph inner;
  inner.share_symbols(g);
  const std::int64_t n = inner.add_symbol({"n", Symbol::Kind::kFree, 0});
  CHECK(g.add_symbol({"n", Symbol::Kind::kFree, 0}) == n);
  CHECK(g.find_symbol("n") == n);
  CHECK_FALSE(g.find_symbol("m"));
  const NodeId id = add("If", {g.add_input("c", {DType::kBool, {}, {}})}, "if");
  g.node(id).subgraphs.push_back(std::make_unique<Graph>(std::move(inner)));
  Graph copy = g.clone();
  CHECK(copy.node(id).subgraphs[0]->shares_symbols(copy));
  copy.add_symbol({"m", Symbol::Kind::kFree, 0});
  CHECK(copy.node(id).subgraphs[0]->find_symbol("m"));
  CHECK_FALSE(g.find_symbol("m"));
}

TEST_CASE_FIXTURE(Fixture, "sort keeps a right order and mends a wrong one") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const NodeId a = add("Neg", {x}, "a");
  const NodeId b = add("Abs", {x}, "b");
  const NodeId c = add("Add", {out(a), out(b)}, "c");
  REQUIRE(g.sort());
  CHECK(g.order() == std::vector<NodeId>{a, b, c});
  const NodeId d = add("Exp", {x}, "d");
  g.node(a).inputs[0] = out(d);
  REQUIRE(g.sort());
  CHECK(g.order() == std::vector<NodeId>{b, d, a, c});
  g.node(d).inputs[0] = out(c);
  const auto cyclic = g.sort();
  REQUIRE_FALSE(cyclic);
  CHECK(cyclic.error().message().find("cycle") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "compact drops dead nodes and unread constants") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const ValueId k = g.add_constant("k", *Tensor::allocate(DType::kF32, {2}));
  const ValueId unread = g.add_constant("unread", *Tensor::allocate(DType::kF32, {2}));
  CHECK(g.value(unread).constant != nullptr);
  const NodeId a = add("Neg", {x}, "a");
  const NodeId b = add("Add", {x, k}, "b");
  g.mark_output(out(b), "y");
  g.remove_nodes({&a, 1});
  g.compact();
  CHECK(g.node_count() == 1);
  CHECK(g.value_count() == 3);
  const Node& left = g.node(g.order()[0]);
  CHECK(left.name == "b");
  CHECK(g.value(left.inputs[1]).name == "k");
  CHECK(g.value(g.outputs()[0]).producer == g.order()[0]);
}

TEST_CASE_FIXTURE(Fixture, "clone is deep but shares constants") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const ValueId k = g.add_constant("k", *Tensor::allocate(DType::kF32, {2}));
  const NodeId b = add("Add", {x, k}, "b");
  g.mark_output(out(b), "y");
  Graph copy = g.clone();
  copy.node(b).inputs[1] = x;
  CHECK(g.node(b).inputs[1] == k);
  CHECK(copy.value(k).constant == g.value(k).constant);
}

TEST_CASE_FIXTURE(Fixture, "loose nodes go before what they are meant for, in turn") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const NodeId a = add("Neg", {x}, "a");
  const NodeId b = add("Neg", {x}, "b");
  const auto loose = [&](const char* name) {
    return g.add_loose_node(ops.find("Neg"), nullptr, {x}, 1, name);
  };
  Insertions insertions;
  CHECK(insertions.empty());
  const NodeId first = loose("first");
  const NodeId second = loose("second");
  const NodeId third = loose("third");
  const NodeId nested = loose("nested");
  CHECK(g.order() == std::vector<NodeId>{a, b});
  insertions.add(b, first);
  insertions.add(b, second);
  insertions.add(a, third);
  insertions.add(second, nested);
  g.insert_nodes(insertions);
  CHECK(g.order() == std::vector<NodeId>{third, a, first, nested, second, b});
  CHECK(insertions.empty());
}

TEST_CASE_FIXTURE(Fixture, "inputs are dropped in one sweep") {
  std::vector<ValueId> inputs;
  for (const char* name : {"a", "b", "c", "d"}) {
    inputs.push_back(g.add_input(name, {DType::kF32, {}, {}}));
  }
  g.remove_inputs({true, false, true, false});
  CHECK(g.inputs() == std::vector<ValueId>{inputs[1], inputs[3]});
}

}  // namespace
}  // namespace polaris
