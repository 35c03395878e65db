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
  g.replace_uses(out(a), x);
  CHECK(g.node(b).inputs[0] == x);
  CHECK(g.outputs()[0] == x);
  CHECK(g.is_state_update(x));
  CHECK(g.users(out(a)).empty());
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
  g.remove_node(a);
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

TEST_CASE_FIXTURE(Fixture, "insert_node keeps the order, users are listed once") {
  const ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  const NodeId a = add("Add", {x, x}, "a");
  const NodeId first = g.insert_node(a, ops.find("Neg"), nullptr, {x}, 1, "n");
  CHECK(g.order() == std::vector<NodeId>{first, a});
  CHECK(g.users(x) == std::vector<NodeId>{first, a});
  const UseMap uses(g);
  CHECK(uses.users(x).size() == 2);
}

}  // namespace
}  // namespace polaris
