// Storages inside others: parts of a Concat, outputs that take their input's bytes.

#include "plan/storage_merge.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/text_model.h"

namespace polaris::test {
namespace {

Storage arena(std::int64_t bytes, std::int32_t first, std::int32_t last) {
  Storage storage;
  storage.bytes = bytes;
  storage.first = first;
  storage.last = last;
  return storage;
}

Operand operand(std::int32_t storage, std::int64_t bytes, std::int64_t offset = 0) {
  return {storage, -1, offset, bytes};
}

/// A stage whose launch i is node i of the graph, on storages i (input) and i + 1 (output).
Stage chain_of(const Graph& graph, std::int64_t bytes) {
  Stage stage;
  SegmentStep segment;
  std::int32_t step = 0;
  stage.storages.push_back(arena(bytes, 0, 1));
  for (NodeId id : graph.order()) {
    Launch launch;
    launch.node = id;
    launch.inputs = {operand(step, bytes)};
    launch.outputs = {operand(step + 1, bytes)};
    ++step;
    stage.storages.push_back(arena(bytes, step, step + 1));
    segment.launches.push_back(launch);
  }
  stage.steps.emplace_back(segment);
  return stage;
}

constexpr const char* kChain = R"(graph {
  input %x : float32[16]
  %a = Relu(%x)
  %b = Exp(%a)
  %c = Neg(%b)
  output %c
})";

}  // namespace

TEST_CASE("merge: a chain of elementwise nodes, however long, takes the bytes of its first value") {
  const Graph graph = graph_from_text(kChain);
  Stage stage = chain_of(graph, 64);
  merge_in_place(graph, stage);
  for (std::int32_t s = 1; s < 4; ++s) CHECK(stage.resolve(operand(s, 64)).storage == 0);
  CHECK(stage.storages[0].last == 4);
}

TEST_CASE("merge: a value that is read later keeps its bytes") {
  const Graph graph = graph_from_text(kChain);
  Stage stage = chain_of(graph, 64);
  stage.storages[1].last = 9;  // what Relu made
  merge_in_place(graph, stage);
  CHECK(stage.resolve(operand(1, 64)).storage == 0);
  // It stands in storage 0 now, which therefore lives on too: Exp gets bytes of its own.
  CHECK(stage.resolve(operand(2, 64)).storage == 2);
  CHECK(stage.resolve(operand(3, 64)).storage == 2);
}

TEST_CASE("merge: only whole arenas of equal size, read once, by elementwise nodes") {
  const Graph graph = graph_from_text(kChain);
  SUBCASE("a live-in is the caller's") {
    Stage stage = chain_of(graph, 64);
    stage.storages[0].kind = Storage::Kind::kLiveIn;
    merge_in_place(graph, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
    CHECK(stage.resolve(operand(3, 64)).storage == 1);
  }
  SUBCASE("an output of another size") {
    Stage stage = chain_of(graph, 64);
    stage.storages[1].bytes = 128;
    merge_in_place(graph, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
  }
  SUBCASE("a part of a larger storage") {
    Stage stage = chain_of(graph, 64);
    stage.storages.push_back(arena(256, 0, 1));
    stage.storages[0].parent = 4;
    stage.storages[0].parent_offset = 64;
    merge_in_place(graph, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
  }
  SUBCASE("read twice by the launch") {
    Stage stage = chain_of(graph, 64);
    std::get<SegmentStep>(stage.steps[0]).launches[0].inputs.push_back(operand(0, 64));
    merge_in_place(graph, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
  }
  SUBCASE("a relayout") {
    Stage stage = chain_of(graph, 64);
    std::get<SegmentStep>(stage.steps[0]).launches[0].relayout = true;
    merge_in_place(graph, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
  }
  SUBCASE("no elementwise node") {
    const Graph softmax = graph_from_text(
        "graph { input %x : float32[4, 4]\n %y = Softmax(%x, axis = 1)\n output %y }");
    Stage stage = chain_of(softmax, 64);
    merge_in_place(softmax, stage);
    CHECK(stage.resolve(operand(1, 64)).storage == 1);
  }
}

TEST_CASE("merge: parts are made inside the whole, all or none") {
  std::vector<Storage> storages = {arena(64, 0, 2), arena(64, 1, 2), arena(128, 2, 5)};
  const std::vector<Part> parts = {{operand(0, 64), 0}, {operand(1, 64), 64}};
  SUBCASE("all") {
    CHECK(merge_parts(storages, operand(2, 128), parts));
    CHECK(storages[2].first == 0);
    CHECK(&root_of(storages, operand(1, 64)) == &storages[2]);
    CHECK(storages[1].parent_offset == 64);
  }
  SUBCASE("the same twice") {
    const std::vector<Part> twice = {{operand(0, 64), 0}, {operand(0, 64), 64}};
    CHECK_FALSE(merge_parts(storages, operand(2, 128), twice));
  }
  SUBCASE("a weight") {
    const std::vector<Part> weight = {{operand(-1, 64), 0}, {operand(1, 64), 64}};
    CHECK_FALSE(merge_parts(storages, operand(2, 128), weight));
  }
  SUBCASE("inside another already, another device, a live-in, a part of its storage") {
    auto changed = storages;
    changed[1].parent = 0;
    CHECK_FALSE(merge_parts(changed, operand(2, 128), parts));
    changed = storages;
    changed[1].device = 1;
    CHECK_FALSE(merge_parts(changed, operand(2, 128), parts));
    changed = storages;
    changed[1].kind = Storage::Kind::kLiveIn;
    CHECK_FALSE(merge_parts(changed, operand(2, 128), parts));
    changed = storages;
    changed[1].bytes = 128;
    CHECK_FALSE(merge_parts(changed, operand(2, 128), parts));
    CHECK(changed[0].parent == -1);
  }
}

TEST_CASE("merge: a root lives as long as all that lies in it") {
  std::vector<Storage> storages = {arena(64, 3, 4), arena(64, 0, 9), arena(64, 2, 11)};
  storages[1].parent = 0;
  storages[2].parent = 1;
  storages[2].parent_offset = 16;
  spread_lifetimes(storages);
  CHECK(storages[0].first == 0);
  CHECK(storages[0].last == 11);
  Stage stage;
  stage.storages = storages;
  stage.storages[1].parent_offset = 8;
  CHECK(stage.resolve(operand(2, 4, 1)).offset == 25);
}

}  // namespace polaris::test
