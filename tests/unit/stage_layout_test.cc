// Layouts in plans: what is launched, and what is not.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "plan/host_values.h"
#include "plan/placement.h"
#include "plan/stage_planner.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

struct Planned {
  std::vector<std::string> kernels;  // of all launches, in order
  int relayouts = 0;
  std::vector<std::string> readers;  // nodes for which there is a relayout
};

Planned plan_on_cpu(std::string_view text) {
  const Graph graph = graph_from_text(text);
  auto device = make_cpu_device({});
  REQUIRE(device);
  Device* const devices[] = {device->get()};
  const Placement placement = placement_of(graph);
  const ValueFlags host_needed = host_needed_values(graph);
  const LastReaders last_reader = last_readers(graph);
  const PlanContext context{devices, &placement, &host_needed, &last_reader, {}, true};
  std::vector<LiveIn> live;
  for (ValueId input : graph.inputs()) live.push_back({input, graph.value(input).type, kHost, {}});
  auto stage = plan_stage(context, graph, 0, std::move(live));
  REQUIRE_MESSAGE(stage, stage.error().message());
  Planned out;
  for (const Step& step : stage->steps) {
    const auto* segment = std::get_if<SegmentStep>(&step);
    if (segment == nullptr) continue;
    for (const Launch& launch : segment->launches) {
      out.kernels.emplace_back(launch.kernel->name());
      if (!launch.relayout) continue;
      ++out.relayouts;
      out.readers.push_back(graph.node(launch.node).name);
    }
  }
  return out;
}

int count(const Planned& planned, std::string_view part) {
  int n = 0;
  for (const std::string& kernel : planned.kernels) n += kernel.find(part) != std::string::npos;
  return n;
}

}  // namespace

TEST_CASE("a Transpose that only relabels is not launched") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[2, 5, 7, 3]
    %c = Transpose(%x, perm = [0, 3, 1, 2])
    %r = Relu(%c)
    %y = Transpose(%r, perm = [0, 2, 3, 1])
    output %y
  })");
  CHECK(planned.kernels.size() == 1);
  CHECK(count(planned, "move Transpose") == 0);
}

TEST_CASE("axes of one element are free") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 5, 1, 3]
    %c = Transpose(%x, perm = [2, 1, 3, 0])
    %y = Relu(%c)
    output %y
  })");
  CHECK(planned.kernels.size() == 1);
}

TEST_CASE("a chain of image operators between Transposes runs channels-last") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 12, 12, 3]
    const %w1 : float32[8, 3, 3, 3] = random 1
    const %w2 : float32[8, 8, 1, 1] = random 2
    const %w3 : float32[8, 1, 3, 3] = random 3
    const %scale : float32[8, 1, 1] = random 4
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %a = Conv(%t, %w1, pads = [1, 1, 1, 1])
    %b = Relu(%a)
    %p = MaxPool(%b, kernel_shape = [2, 2], strides = [2, 2])
    %c = Conv(%p, %w2)
    %d = Conv(%p, %w3, group = 8, pads = [1, 1, 1, 1])
    %s = Add(%c, %d)
    %m = Mul(%s, %scale)
    %g = GlobalAveragePool(%m)
    %e = Mul(%m, %g)
    %k = Concat(%e, %c, axis = 1)
    %q = AveragePool(%k, kernel_shape = [2, 2], strides = [2, 2])
    %f = Softmax(%q, axis = 1)
    %y = Transpose(%f, perm = [0, 2, 3, 1])
    output %y
  })");
  CHECK(count(planned, "move Transpose") == 0);
  CHECK(count(planned, "nhwc") == 6);
}

TEST_CASE("what takes no other layout gets one row-major form, however many read it") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 6, 5, 4]
    const %w : float32[8, 4, 3, 3] = random 5
    const %axes : int64[1] = [1]
    const %shape : int64[2] = [1, -1]
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %a = Conv(%t, %w, pads = [1, 1, 1, 1])
    %first = ReduceSum(%a, %axes)
    %second = Reshape(%a, %shape)
    %third = Relu(%second)
    output %first
    output %third
  })");
  CHECK(count(planned, "conv_rows_f32_nhwc") == 1);
  REQUIRE(planned.relayouts == 1);
  CHECK(count(planned, "move Transpose") == 1);
}

TEST_CASE("the order of readers makes no difference to their layouts") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 6, 5, 4]
    const %w : float32[8, 4, 3, 3] = random 1
    const %axes : int64[1] = [1]
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %p = MaxPool(%t, kernel_shape = [2, 2])
    %first = ReduceSum(%p, %axes)
    %a = Conv(%p, %w, pads = [1, 1, 1, 1])
    %second = Transpose(%a, perm = [0, 2, 3, 1])
    output %first
    output %second
  })");
  CHECK(planned.relayouts == 1);
  CHECK(count(planned, "conv_rows_f32_nhwc") == 1);
  CHECK(planned.kernels.size() == 4);
}

TEST_CASE("graph outputs are row-major") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 6, 5, 4]
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %y = MaxPool(%t, kernel_shape = [2, 2])
    output %y
  })");
  CHECK(count(planned, "max_pool_nhwc") == 1);
  CHECK(planned.relayouts == 1);
}

TEST_CASE("a Transpose reads any layout") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 6, 5, 4]
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %p = MaxPool(%t, kernel_shape = [2, 2])
    %y = Transpose(%p, perm = [0, 3, 2, 1])
    output %y
  })");
  CHECK(planned.relayouts == 0);
  CHECK(count(planned, "move Transpose") == 1);
}

TEST_CASE("data that stands row-major stays so") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 4, 6, 5]
    const %w : float32[4, 4, 3, 3] = random 6
    %a = Conv(%x, %w, pads = [1, 1, 1, 1])
    %y = Relu(%a)
    output %y
  })");
  CHECK(planned.relayouts == 0);
  CHECK(count(planned, "nhwc") == 0);
}

TEST_CASE("an operator whose kernels know one layout gets a relayout") {
  const Planned planned = plan_on_cpu(R"(graph {
    input %x : float32[1, 6, 5, 4]
    const %w : float32[4, 2, 2, 2] = random 7
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %y = ConvTranspose(%t, %w)
    output %y
  })");
  REQUIRE(planned.relayouts == 1);
  CHECK(planned.kernels.size() == 2);
}

}  // namespace polaris::test
