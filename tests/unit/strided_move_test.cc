// What an op says of the elements it moves, and what follows from it.
#include <doctest/doctest.h>

#include <vector>

#include "ir/builtin_op.h"
#include "ir/op_set.h"
#include "ir/strided_move.h"

namespace polaris::test {
namespace {

struct MoverAttrs final : AttrsOf<MoverAttrs> {
  StridedMove said;

  void visit(AttrVisitor&) override {}
};

constexpr OpDef kMover{
    .name = "Mover",
    .domain = "test",
    .move =
        [](const NodeTypes& n) {
          return std::optional(static_cast<const MoverAttrs&>(*n.attrs).said);
        },
};

struct Node {
  TensorType in;
  TensorType out;
  MoverAttrs attrs = {};
  NodeTypes types() const { return {&kMover, &attrs, {&in, 1}, {&out, 1}, {}}; }
};

Node node(const Shape& in, const Shape& out, DType dtype = DType::kF32) {
  return {{dtype, in, {}}, {dtype, out, {}}};
}

using Loops = std::vector<std::pair<std::int64_t, std::int64_t>>;

Node saying(Node n, std::int64_t start, const Loops& loops) {
  n.attrs.said = {start, {}};
  for (const auto& [size, stride] : loops) n.attrs.said.add(size, stride);
  return n;
}

std::optional<Loops> loops_of(const Node& from, std::int64_t start, const Loops& loops) {
  const Node n = saying(from, start, loops);
  const auto move = strided_move(n.types());
  if (!move) return std::nullopt;
  Loops out;
  for (const auto& loop : move->loops) out.emplace_back(loop.size, loop.stride);
  return out;
}

}  // namespace

TEST_CASE("strided move: loops of one round go, and those that continue one another are one") {
  const Node all = node({2, 3, 4}, {24});
  CHECK(loops_of(all, 0, {{2, 12}, {3, 4}, {4, 1}}) == Loops{{24, 1}});
  CHECK(loops_of(all, 0, {{1, 77}, {2, 12}, {1, -9}, {12, 1}}) == Loops{{24, 1}});
  CHECK(loops_of(all, 0, {{3, 4}, {2, 12}, {4, 1}}) == Loops{{3, 4}, {2, 12}, {4, 1}});
  CHECK(loops_of(all, 23, {{24, -1}}) == Loops{{24, -1}});
  CHECK(loops_of(node({2}, {3, 4, 2}), 0, {{3, 0}, {4, 0}, {2, 1}}) == Loops{{12, 0}, {2, 1}});
  CHECK(loops_of(node({2}, {1, 1}), 1, {{1, 5}}) == Loops{});
}

TEST_CASE("strided move: one that leaves its input or does not make its output is none") {
  const Node all = node({4, 4}, {16});
  CHECK_FALSE(loops_of(all, 0, {{15, 1}}));
  CHECK_FALSE(loops_of(all, 0, {{4, 4}, {5, 1}}));
  CHECK_FALSE(loops_of(all, 1, {{16, 1}}));
  CHECK_FALSE(loops_of(all, -1, {{16, 1}}));
  CHECK_FALSE(loops_of(all, 0, {{4, 5}, {4, 1}}));
  CHECK_FALSE(loops_of(all, 2, {{16, -1}}));
  CHECK_FALSE(loops_of(all, 0, {{-4, 4}, {-4, 1}}));
  CHECK_FALSE(loops_of(all, 0, {{2, INT64_MAX}, {8, 1}}));
  CHECK_FALSE(loops_of(all, INT64_MAX, {{16, 1}}));
  CHECK_FALSE(loops_of(all, 0, {{INT64_MAX, 0}, {2, 0}}));
  // Nothing to make: the op need not know, and its numbers count for nothing.
  CHECK(loops_of(node({4}, {0, 3}), INT64_MAX, {{7, INT64_MAX}}) == Loops{{0, 0}});
}

TEST_CASE("strided move: one run is a view, where it shares no byte with its neighbours") {
  const auto offset = [](const Node& n, std::int64_t start, const Loops& loops) {
    REQUIRE(loops_of(n, start, loops));
    const Node one = saying(n, start, loops);
    const auto view = move_view(one.types(), 0);
    return view ? view->offset_bytes : -1;
  };
  CHECK(offset(node({4, 4}, {16}), 0, {{16, 1}}) == 0);
  CHECK(offset(node({4, 4}, {2, 4}), 4, {{2, 4}, {4, 1}}) == 16);
  CHECK(offset(node({4, 4}, {1, 1}), 7, {{1, 1}}) == 28);
  CHECK(offset(node({4, 4}, {0}), 0, {}) == 0);
  CHECK(offset(node({4, 4}, {4, 2}), 0, {{4, 4}, {2, 1}}) == -1);
  CHECK(offset(node({4, 4}, {4}), 3, {{4, -1}}) == -1);
  CHECK(offset(node({4, 4}, {4}), 3, {{4, 0}}) == -1);
  // Two elements a byte.
  CHECK(offset(node({3, 3}, {9}, DType::kU4), 0, {{9, 1}}) == 0);
  CHECK(offset(node({4, 4}, {2}, DType::kU4), 2, {{2, 1}}) == 1);
  CHECK(offset(node({4, 4}, {2}, DType::kU4), 1, {{2, 1}}) == -1);
  CHECK(offset(node({4, 4}, {3}, DType::kU4), 2, {{3, 1}}) == -1);
}

TEST_CASE("strided move: an op that says one picks elements, and its view follows") {
  int swept = 0;
  for (const OpDef* op : OpSet::builtin().all()) {
    if (op->move == nullptr) continue;
    ++swept;
    CAPTURE(op->name);
    CHECK(op->has_trait(kPicksElements));
    CHECK(op->size_rule == SizeRule::kMove);
    CHECK((op->view != nullptr));
    CHECK((op->reference != nullptr));
  }
  CHECK(swept > 0);
}

}  // namespace polaris::test
