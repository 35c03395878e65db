// The yardstick ops of `polaris bench` do what they say, on every backend: work that a compiler
// threw away would be a limit that no kernel reaches.

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "backend/limit_ops.h"
#include "session/open_devices.h"
#include "session/session.h"
#include "support/vulkan.h"

namespace polaris {
namespace {

ValueId add(Graph& graph, const OpDef& op, std::vector<ValueId> inputs, std::int64_t count,
            std::int64_t rounds = 1) {
  std::unique_ptr<Attrs> attrs;
  if (op.make_attrs != nullptr) {
    auto made = std::make_unique<LimitAttrs>();
    made->count = count;
    made->rounds = rounds;
    attrs = std::move(made);
  }
  const NodeId node =
      graph.add_node(&op, std::move(attrs), std::move(inputs), 1, std::string(op.name));
  return graph.node(node).outputs[0];
}

/// The outputs of a graph without inputs, and the kernels that made them.
std::vector<Tensor> run(const std::string& device, Graph graph, std::vector<NodeTime>& nodes) {
  REQUIRE(infer_graph(graph).ok());
  DeviceOptions options;
  options.devices = {device};
  auto runtime = open_runtime(options);
  REQUIRE(runtime.ok());
  ProgramOptions program_options;
  program_options.run_passes = false;
  auto program = Program::compile(runtime.take(), std::move(graph), program_options);
  REQUIRE_MESSAGE(program.ok(), program.error().message());
  auto session = Session::create(program.take());
  REQUIRE(session.ok());
  std::vector<Tensor> outputs;
  RunOptions run_options;
  run_options.profile = &nodes;
  const Status status = (*session)->run({}, outputs, run_options);
  REQUIRE_MESSAGE(status.ok(), status.error().message());
  return outputs;
}

std::vector<std::string> devices() {
  std::vector<std::string> out = {"cpu", "reference"};
  if (std::string id = test::test_vulkan_id(); !id.empty()) out.push_back(std::move(id));
  return out;
}

TEST_CASE("memory is written, copied and read, every element of it") {
  constexpr std::int64_t kCount = 6 * kLimitUnit;
  for (const std::string& device : devices()) {
    CAPTURE(device);
    Graph graph;
    graph.name = "memory";
    const ValueId x = add(graph, op_limit_fill, {}, kCount);
    const ValueId y = add(graph, op_limit_copy, {x}, kCount);
    graph.mark_output(y, "copy");
    graph.mark_output(add(graph, op_limit_read, {y}, kCount), "read");
    std::vector<NodeTime> nodes;
    const std::vector<Tensor> outputs = run(device, std::move(graph), nodes);
    REQUIRE(outputs[0].elements() == kCount);
    REQUIRE(outputs[1].elements() == kCount / kLimitReadPart);
    for (std::int64_t i = 0; i < kCount; ++i) {
      if (element_as_f64(outputs[0], i) != 1) FAIL("copy at " << i);
    }
    for (std::int64_t i = 0; i < kCount / kLimitReadPart; ++i) {
      if (element_as_f64(outputs[1], i) != kLimitReadPart) FAIL("read at " << i);
    }
    CHECK(nodes.size() == 3);
    for (const NodeTime& node : nodes) {
      CHECK(node.device.starts_with(device.substr(0, device.find(':'))));
    }
  }
}

TEST_CASE("every multiply-add is done") {
  for (const std::string& device : devices()) {
    for (const std::int64_t rounds : {4, 12, 64}) {
      CAPTURE(device);
      CAPTURE(rounds);
      Graph graph;
      graph.name = "arithmetic";
      graph.mark_output(add(graph, op_limit_fma, {}, 3 * kLimitUnit, rounds), "y");
      std::vector<NodeTime> nodes;
      const Tensor y = run(device, std::move(graph), nodes)[0];
      // a -> a * f + c moves each chain towards 1 by the factor f.
      double wanted = 0;
      for (int k = 0; k < kLimitChains; ++k) {
        wanted += 1 + (k - 1) * std::pow(static_cast<double>(kLimitFactor), rounds);
      }
      for (std::int64_t i = 0; i < y.elements(); ++i) {
        if (std::abs(element_as_f64(y, i) - wanted) > 1e-5) {
          FAIL("got " << element_as_f64(y, i) << " at " << i << ", wanted " << wanted);
        }
      }
    }
  }
}

}  // namespace
}  // namespace polaris
