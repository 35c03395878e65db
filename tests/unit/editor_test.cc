#include "pass/editor.h"

#include <doctest/doctest.h>

namespace polaris {
namespace {

struct Fixture {
  OpSet ops = OpSet::builtin();
  Graph g;
  ValueId x = g.add_input("x", {DType::kF32, {2}, {}});
  ValueId z = g.add_input("z", {DType::kF32, {2}, {}});
  NodeId add(std::string_view op, std::vector<ValueId> inputs, std::string name) {
    return g.add_node(ops.find(op), nullptr, std::move(inputs), 1, std::move(name));
  }
  ValueId out(NodeId id) { return g.node(id).outputs[0]; }
  static std::vector<NodeId> list(const Editor& editor, ValueId value) {
    const Users users = editor.users(value);
    return {users.begin(), users.end()};
  }
};

TEST_CASE_FIXTURE(Fixture, "users are listed once per slot and follow every edit") {
  const NodeId a = add("Add", {x, x}, "a");
  const NodeId b = add("Neg", {x}, "b");
  g.mark_output(out(a), "a");
  Editor editor(g, ops);
  CHECK(list(editor, x) == std::vector<NodeId>{a, a, b});
  CHECK_FALSE(editor.only_user(x).valid());
  editor.set_input(a, 0, z);
  CHECK(list(editor, x) == std::vector<NodeId>{a, b});
  CHECK(editor.only_user(z) == a);
  editor.set_input(a, 1, kNoValue);
  CHECK(list(editor, x) == std::vector<NodeId>{b});
  editor.remove_if_dead(b);
  CHECK_FALSE(editor.is_read(x));
  CHECK(list(editor, x).empty());
}

TEST_CASE_FIXTURE(Fixture, "replace moves every read, also to a value that is read already") {
  const NodeId a = add("Add", {x, z}, "a");
  const NodeId b = add("Add", {x, x}, "b");
  g.mark_output(x, "x");
  g.mark_output(out(a), "a");
  g.mark_output(x, "again");
  Editor editor(g, ops);
  editor.replace(x, x);
  CHECK(list(editor, x) == std::vector<NodeId>{a, b, b});
  editor.replace(x, z, true);
  CHECK(g.node(a).inputs == std::vector<ValueId>{z, z});
  CHECK(g.node(b).inputs == std::vector<ValueId>{z, z});
  CHECK(g.outputs() == std::vector<ValueId>{z, out(a), z});
  CHECK(editor.is_internal(x));
  CHECK_FALSE(editor.is_internal(z));
  CHECK_FALSE(editor.is_read(x));
  CHECK(list(editor, z).size() == 4);
  // And back: the outputs go along once more.
  editor.replace(z, x, true);
  CHECK(g.outputs() == std::vector<ValueId>{x, out(a), x});
  CHECK(editor.is_internal(z));
}

TEST_CASE_FIXTURE(Fixture, "a replaced state update is one of the new value") {
  const ValueId s = g.add_state("s", {DType::kF32, {2}, {}}, nullptr, false);
  const NodeId a = add("Add", {s, x}, "a");
  g.set_state_update(0, out(a));
  Editor editor(g, ops);
  CHECK_FALSE(editor.is_internal(out(a)));
  editor.replace(out(a), x);
  CHECK(g.states()[0].update == x);
  editor.remove_if_dead(a);
  CHECK(g.node(a).dead);
}

TEST_CASE_FIXTURE(Fixture, "added nodes stand before theirs once the edit is finished") {
  const NodeId a = add("Neg", {x}, "a");
  g.mark_output(out(a), "a");
  const std::vector<NodeId> order = g.order();
  NodeId first;
  NodeId second;
  {
    Editor editor(g, ops);
    auto made = editor.add(a, "Exp", {x}, "first");
    REQUIRE(made.ok());
    first = *made;
    CHECK(editor.type(out(first)) == TensorType{DType::kF32, {2}, {}});
    made = editor.add(a, "Abs", {out(first)}, "second");
    REQUIRE(made.ok());
    second = *made;
    editor.set_input(a, 0, out(second));
    CHECK(editor.only_user(out(first)) == second);
    CHECK(g.order() == order);
  }
  CHECK(g.order() == std::vector<NodeId>{first, second, a});
}

TEST_CASE_FIXTURE(Fixture, "remove_inputs closes the gaps and keeps the uses in step") {
  const NodeId a = add("Concat", {x, z, x, z}, "a");
  g.mark_output(out(a), "a");
  Editor editor(g, ops);
  editor.remove_inputs(a, {true, false, false, true});
  CHECK(g.node(a).inputs == std::vector<ValueId>{z, x});
  CHECK(editor.only_user(x) == a);
  editor.replace(x, z);
  CHECK(g.node(a).inputs == std::vector<ValueId>{z, z});
}

TEST_CASE_FIXTURE(Fixture, "a dead node reads nothing any more") {
  const NodeId a = add("Neg", {x}, "a");
  Editor editor(g, ops);
  editor.remove_if_dead(a);
  editor.set_input(a, 0, z);
  CHECK_FALSE(editor.is_read(z));
  CHECK_FALSE(editor.is_read(x));
}

TEST_CASE_FIXTURE(Fixture, "a device is asked for a node as it is, without the inputs it lacks") {
  const std::int64_t n = g.add_symbol({"n", Symbol::Kind::kBounded, 7});
  const ValueId rows = g.add_input("rows", {DType::kF32, {symbol_dim(n), 2}, {}});
  const ValueId low = g.add_constant("low", *Tensor::allocate(DType::kF32, {}));
  Editor editor(g, ops);
  int asked = 0;
  Target target;
  target.supports = [&](const InferContext& node, std::span<const Constant* const> constants) {
    ++asked;
    REQUIRE(node.input_count() == 3);
    CHECK(node.in(0) == TensorType{DType::kF32, {7, 2}, {}});
    CHECK_FALSE(node.has(1));
    CHECK(node.value(2) == &g.value(low).constant->data);
    CHECK(node.outputs == std::vector<TensorType>{{DType::kF32, {7, 2}, {}}});
    CHECK(constants[1] == nullptr);
    CHECK(constants[2] == g.value(low).constant.get());
    return true;
  };
  CHECK(editor.runs(target, "Clip", {rows, kNoValue, low}));
  CHECK_FALSE(editor.runs(target, "Clip", {}));
  CHECK(asked == 1);
}

}  // namespace
}  // namespace polaris
