// Which device nodes are placed on: by share, by time, by memory, by what a device can run.

#include "plan/placement.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/fake_device.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

struct Case {
  std::vector<std::unique_ptr<FakeDevice>> owned;
  std::vector<Device*> devices;
  PlaceOptions options;

  explicit Case(int count, DeviceIndex spread) {
    for (int d = 0; d < count; ++d) {
      owned.push_back(std::make_unique<FakeDevice>("fake:" + std::to_string(d)));
      devices.push_back(owned.back().get());
    }
    options.spread = spread;
  }
  FakeDevice& operator[](std::size_t d) { return *owned[d]; }
  Graph place(std::string_view text) {
    Graph graph = graph_from_text(text);
    place_graph(graph, devices, options);
    return graph;
  }
};

/// Devices of the nodes in order; '-' for those that are not placed.
std::string devices_of(const Graph& graph) {
  std::string out;
  for (NodeId id : graph.order()) {
    const auto device = graph.node(id).device;
    out += device < 0 ? "-" : std::to_string(device);
  }
  return out;
}

/// `count` MatMuls in a row, each with a weight of 16 KiB; a value has 1 KiB.
std::string layers(int count) {
  std::string text = "graph { input %v0 : float32[4, 64]\n";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "const %w" + n + " : float32[64, 64] = random " + n + "\n";
    text += "%v" + std::to_string(i + 1) + " = MatMul(%v" + n + ", %w" + n + ")\n";
  }
  return text + "output %v" + std::to_string(count) + " }";
}

constexpr std::int64_t kKiB = 1024;

}  // namespace

TEST_CASE("one device takes all") { CHECK(devices_of(Case(1, 1).place(layers(3))) == "000"); }

TEST_CASE("devices at equal speed share a graph in order and equally") {
  CHECK(devices_of(Case(2, 2).place(layers(6))) == "000111");
  CHECK(devices_of(Case(3, 3).place(layers(6))) == "001122");
}

TEST_CASE("a faster device takes more") {
  Case test(2, 2);
  test[1].us = 3;
  CHECK(devices_of(test.place(layers(8))) == "00000011");
  test[0].us = 3;
  test[1].us = 1;
  CHECK(devices_of(test.place(layers(8))) == "00111111");
}

TEST_CASE("shares say which part of the weights a device gets") {
  Case test(2, 2);
  test[1].us = 100;
  test.options.shares = {1, 3};
  CHECK(devices_of(test.place(layers(8))) == "00111111");
  test.options.shares = {3, 1};
  CHECK(devices_of(test.place(layers(8))) == "00000011");
}

TEST_CASE("what does not fit goes on to the next device, asked for or not") {
  Case test(2, 1);
  test.options.capacity_bytes = {64 * kKiB, 1024 * kKiB};
  CHECK(devices_of(test.place(layers(3))) == "000");
  CHECK(devices_of(test.place(layers(8))) == "00011111");
  Case shared(3, 2);
  shared.options.capacity_bytes = {40 * kKiB, 64 * kKiB, 1024 * kKiB};
  CHECK(devices_of(shared.place(layers(4))) == "0011");
  CHECK(devices_of(shared.place(layers(8))) == "00111222");
  // Shares do not go beyond memory either.
  shared.options.shares = {9, 1};
  CHECK(devices_of(shared.place(layers(4))) == "0011");
}

TEST_CASE("what fits nowhere stays with the last device, for loading to say what is missing") {
  Case test(2, 1);
  test.options.capacity_bytes = {40 * kKiB, 40 * kKiB};
  CHECK(devices_of(test.place(layers(8))) == "00111111");
}

TEST_CASE("working memory counts: values alive at once, at the bounds of their dims") {
  const std::string text = R"(graph {
    symbol T bounded 4096
    input %x : float32[T, 64]
    const %w : float32[64, 64] = random 1
    const %v : float32[64, 64] = random 2
    %a = MatMul(%x, %w)
    %b = MatMul(%a, %v)
    output %b
  })";
  Case test(2, 1);
  test.options.capacity_bytes = {4096 * kKiB, 4096 * kKiB};
  CHECK(devices_of(test.place(text)) == "00");
  test.options.capacity_bytes = {1024 * kKiB, 4096 * kKiB};
  CHECK(devices_of(test.place(text)) == "11");
}

TEST_CASE("states take room, paged ones by the tokens they will hold") {
  const std::string text = R"(graph {
    symbol P
    input %x : float32[4, 64]
    state %s : float32[P, 16, 64] paged
    const %w : float32[64, 64] = random 1
    %a = MatMul(%x, %w)
    %b = Reshape(%s, %shape)
    %c = ReduceSum(%b, %axes, keepdims = 0)
    %d = Add(%a, %c)
    output %d
    update %s = %s
  })";
  const std::string full = std::string(text).replace(
      text.find("const"), 0,
      "const %shape : int64[2] = [-1, 64]\n const %axes : int64[1] = [0]\n ");
  Case test(2, 1);
  test.options.capacity_bytes = {256 * kKiB, 4096 * kKiB};
  test.options.cached_tokens = 16;
  CHECK(devices_of(test.place(full)) == "0000");
  test.options.cached_tokens = 4096;  // a MiB
  const Graph placed = test.place(full);
  CHECK(devices_of(placed) == "0111");
  CHECK(placement_of(placed).state[0] == 1);
}

TEST_CASE("a node goes to a device that has a kernel for it") {
  Case test(2, 1);
  test[0].refuses = {"Softmax"};
  const std::string text = R"(graph {
    input %x : float32[4, 64]
    %a = Relu(%x)
    %b = Softmax(%a, axis = 1)
    %c = Relu(%b)
    output %c
  })";
  CHECK(devices_of(test.place(text)) == "010");
  // Where nobody has one it stays; planning will say so.
  test[1].refuses = {"Softmax"};
  CHECK(devices_of(test.place(text)) == "000");
}

TEST_CASE("quantizing stays where the product is: it is there to be fused") {
  Case test(2, 1);
  test[0].refuses = {"DequantizeLinear", "QuantizeLinear"};
  const Graph graph = test.place(R"(graph {
    input %x : uint8[4, 64]
    const %s : float32[] = 0.5
    const %z : uint8[] = 3
    %a = DequantizeLinear(%x, %s, %z)
    %b = Relu(%a)
    %c = QuantizeLinear(%b, %s, %z)
    output %c
  })");
  CHECK(devices_of(graph) == "000");
}

TEST_CASE("what is computed from constants is not placed and weighs where it is read") {
  const std::string text = R"(graph {
    input %x : float32[4, 64]
    const %q : int8[64, 64] = random 1
    const %s : float32[] = 0.5
    const %w : float32[64, 64] = random 2
    %d = DequantizeLinear(%q, %s)
    %a = MatMul(%x, %w)
    %b = MatMul(%a, %d)
    output %b
  })";
  Case test(2, 1);
  test.options.capacity_bytes = {19 * kKiB, 1024 * kKiB};
  const Graph graph = test.place(text);
  CHECK(devices_of(graph) == "-01");
  std::string with_readers;
  const Placement placement = placement_of(graph);
  for (NodeId id : graph.order()) with_readers += std::to_string(placement.node[id]);
  CHECK(with_readers == "101");
}

TEST_CASE("nodes of If and Loop are placed with the rest") {
  Case test(2, 1);
  test[0].refuses = {"Softmax"};
  const Graph graph = test.place(R"(graph {
    input %c : bool[]
    input %x : float32[4, 64]
    %y = If(%c, %x) graph {
      input %a : float32[4, 64]
      %b = Softmax(%a, axis = 1)
      output %b
    } graph {
      input %a : float32[4, 64]
      %b = Relu(%a)
      output %b
    }
    output %y
  })");
  const Node& node = graph.node(graph.order()[0]);
  CHECK(devices_of(*node.subgraphs[0]) == "1");
  CHECK(devices_of(*node.subgraphs[1]) == "0");
}

TEST_CASE("a node whose types hang on data is taken for one that its device runs") {
  Case test(2, 1);
  test[0].refuses = {"Expand"};
  const Graph graph = test.place(R"(graph {
    input %x : float32[1, 64]
    input %n : int64[2]
    %y = Expand(%x, %n)
    output %y
  })");
  CHECK(devices_of(graph) == "0");
}

}  // namespace polaris::test
