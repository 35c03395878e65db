// Models whose data stands channels-last: equal answers on every device and mix of devices.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "support/session_run.h"
#include "support/text_model.h"

using namespace polaris;
using namespace polaris::test;

namespace {

struct Ran {
  std::vector<Tensor> outputs;
  std::vector<NodeTime> times;
};

/// Nothing where one of the devices is not here.
Ran run_on(const std::vector<std::string>& devices, std::string_view text) {
  auto runtime = make_runtime(devices);
  if (!runtime) return {};
  Graph graph = graph_from_text(text);
  const std::vector<Tensor> inputs = numbers_for_inputs(graph);
  auto program = Program::compile(runtime, std::move(graph));
  REQUIRE_MESSAGE(program, program.error().message());
  auto session = Session::create(*program);
  REQUIRE(session);
  Ran out;
  RunOptions options;
  options.profile = &out.times;
  for (int run = 0; run < 2; ++run) {  // the second in memory that the first left behind
    out.times.clear();
    const Status status = (*session)->run(inputs, out.outputs, options);
    REQUIRE_MESSAGE(status, status.error().message());
  }
  return out;
}

/// The op by itself, without the layout that it was brought into.
int count_op(const Ran& ran, std::string_view op) {
  int n = 0;
  for (const NodeTime& time : ran.times) n += time.op == op ? 1 : 0;
  return n;
}

int count_kernel(const Ran& ran, std::string_view kernel) {
  int n = 0;
  for (const NodeTime& time : ran.times) n += time.kernel == kernel ? 1 : 0;
  return n;
}

void check_everywhere(std::string_view text, double tolerance) {
  const Ran want = run_on({"reference"}, text);
  const std::vector<std::vector<std::string>> mixes = {
      {"cpu"}, {"vulkan"}, {"cpu", "vulkan"}, {"reference", "cpu"}};
  for (const auto& devices : mixes) {
    CAPTURE(devices.front());
    CAPTURE(devices.size());
    const Ran got = run_on(devices, text);
    if (got.outputs.empty()) continue;
    REQUIRE(got.outputs.size() == want.outputs.size());
    for (std::size_t i = 0; i < want.outputs.size(); ++i) {
      CAPTURE(i);
      REQUIRE(got.outputs[i].type() == want.outputs[i].type());
      CHECK(max_difference(got.outputs[i], want.outputs[i]) <=
            tolerance * largest_magnitude(want.outputs[i]));
    }
  }
}

// As exporters of channels-last frameworks write it: a Transpose around every operator.
constexpr std::string_view kCnn = R"(graph {
  input %x : float32[2, 17, 19, 3]
  const %w1 : float32[16, 3, 3, 3] = random 1
  const %b1 : float32[16] = random 2
  const %w2 : float32[16, 1, 3, 3] = random 3
  const %w3 : float32[24, 16, 1, 1] = random 4
  const %w4 : float32[24, 12, 3, 3] = random 5
  const %w5 : float32[24, 7] = random 6
  const %bias : float32[24] = random 7
  const %scale : float32[1, 24, 1, 1] = random 8
  const %flat : int64[2] = [2, 24]
  %t1 = Transpose(%x, perm = [0, 3, 1, 2])
  %c1 = Conv(%t1, %w1, %b1, pads = [0, 1, 1, 0], strides = [2, 2])
  %n1 = Transpose(%c1, perm = [0, 2, 3, 1])
  %r1 = Clip(%n1)
  %t2 = Transpose(%r1, perm = [0, 3, 1, 2])
  %c2 = Conv(%t2, %w2, group = 16, pads = [1, 1, 1, 1])
  %h2 = HardSwish(%c2)
  %c3 = Conv(%h2, %w3)
  %n3 = Transpose(%c3, perm = [0, 2, 3, 1])
  %a3 = Add(%n3, %bias)
  %t3 = Transpose(%a3, perm = [0, 3, 1, 2])
  %s3 = Mul(%t3, %scale)
  %g3 = GlobalMaxPool(%s3)
  %e3 = Sigmoid(%g3)
  %m3 = Mul(%s3, %e3)
  %c4 = Conv(%m3, %w4, group = 2, pads = [1, 1, 1, 1])
  %p4, %i4 = MaxPool(%c4, kernel_shape = [3, 2], strides = [2, 2], pads = [1, 0, 1, 0])
  %v4 = AveragePool(%c4, kernel_shape = [3, 2], strides = [2, 2], pads = [1, 0, 1, 0])
  %k4 = Concat(%p4, %v4, axis = -3)
  %d4 = Softmax(%k4, axis = 1)
  %g4 = GlobalAveragePool(%m3)
  %f4 = Reshape(%g4, %flat)
  %y = MatMul(%f4, %w5)
  output %y
  output %c2
  output %d4
  output %i4
})";

constexpr std::string_view kQuantized = R"(graph {
  input %x : uint8[1, 11, 9, 5]
  const %w1 : int8[20, 5, 3, 3] = random 9
  const %w2 : int8[20, 20, 1, 1] = random 10
  const %w3 : uint8[20, 1, 3, 3] = random 11
  const %b1 : int32[20] = random 12
  const %s : float32[] = 0.05
  const %s4 : float32[] = 0.5
  const %ws : float32[20] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.01, 0.02, 0.03, 0.04, 0.05,
                             0.01, 0.02, 0.03, 0.04, 0.05, 0.01, 0.02, 0.03, 0.04, 0.05]
  const %z : uint8[] = 128
  const %zw : int8[] = 0
  const %t : float32[20] = [1.5, 2.5, 3.5, 1.25, 2.25, 1.5, 2.5, 3.5, 1.25, 2.25,
                            1.5, 2.5, 3.5, 1.25, 2.25, 1.5, 2.5, 3.5, 1.25, 2.25]
  %t1 = Transpose(%x, perm = [0, 3, 1, 2])
  %q1 = QLinearConv(%t1, %s, %z, %w1, %s, %zw, %s4, %z, %b1, pads = [1, 1, 1, 1])
  %p1 = MaxPool(%q1, kernel_shape = [2, 2])
  %q2 = QLinearConv(%p1, %s4, %z, %w2, %s, %zw, %s4, %z)
  %i3 = ConvInteger(%q2, %w3, %z, %z, group = 20, pads = [1, 1, 1, 1])
  %f3 = Cast(%i3, to = float32)
  %d2 = DequantizeLinear(%q2, %ws, axis = 1)
  %m3 = Mul(%f3, %s)
  %a3 = Add(%m3, %d2)
  %u3 = QuantizeLinear(%a3, %t, axis = -3)
  %y = Transpose(%u3, perm = [0, 2, 3, 1])
  output %y
  output %i3
})";

}  // namespace

TEST_CASE("a channels-last CNN answers alike everywhere, and only its outputs are moved") {
  check_everywhere(kCnn, 1e-4);
  for (const std::string device : {"cpu", "vulkan"}) {
    CAPTURE(device);
    const Ran ran = run_on({device}, kCnn);
    if (ran.outputs.empty()) continue;
    CHECK(count_op(ran, "Transpose") == 0);
    CHECK(count_op(ran, "Transpose (relayout)") == 3);  // c2, d4, i4
  }
}

TEST_CASE("a quantized channels-last CNN answers alike everywhere") {
  check_everywhere(kQuantized, 1e-6);
  const Ran cpu = run_on({"cpu"}, kQuantized);
  CHECK(count_op(cpu, "Transpose") == 0);
  CHECK(count_op(cpu, "Transpose (relayout)") == 1);  // i3
}

TEST_CASE("stages and control flow see row-major values") {
  // NonZero ends a stage; the values that live on were channels-last before it.
  constexpr std::string_view kText = R"(graph {
    input %x : float32[1, 5, 6, 4]
    const %w : float32[4, 4, 3, 3] = random 13
    %t = Transpose(%x, perm = [0, 3, 1, 2])
    %a = Conv(%t, %w, pads = [1, 1, 1, 1])
    %r = Relu(%a)
    %n = NonZero(%r)
    %b = Conv(%r, %w, pads = [1, 1, 1, 1])
    %y = Transpose(%b, perm = [0, 2, 3, 1])
    output %n
    output %y
  })";
  check_everywhere(kText, 1e-4);
}

TEST_CASE("row-major convolutions run channels-last on the cpu, converted once on each side") {
  constexpr std::string_view kText = R"(graph {
    input %x : float32[1, 16, 9, 7]
    const %w1 : float32[32, 16, 3, 3] = random 21
    const %w2 : float32[32, 1, 3, 3] = random 22
    const %w3 : float32[32, 32, 1, 1] = random 23
    const %w4 : float32[24, 32, 3, 3] = random 24
    %a = Conv(%x, %w1, pads = [1, 1, 1, 1])
    %b = Relu(%a)
    %c = Conv(%b, %w2, group = 32, pads = [1, 1, 1, 1])
    %d = Conv(%c, %w3)
    %e = Add(%d, %b)
    %f = MaxPool(%e, kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1])
    %y = Conv(%f, %w4)
    output %y
  })";
  check_everywhere(kText, 1e-4);
  const Ran cpu = run_on({"cpu"}, kText);
  CHECK(count_op(cpu, "Transpose (relayout)") == 2);  // x and y
  CHECK(count_kernel(cpu, "conv_taps_f32_nhwc") == 3);
  CHECK(count_kernel(cpu, "conv_depthwise_f32_nhwc") == 1);
  CHECK(count_kernel(cpu, "max_pool_nhwc") == 1);
}

TEST_CASE("a depthwise convolution of long rows alone stays row-major on the cpu") {
  constexpr std::string_view kText = R"(graph {
    input %x : float32[1, 16, 9, 37]
    const %w : float32[16, 1, 3, 3] = random 25
    %y = Conv(%x, %w, group = 16, pads = [1, 1, 1, 1])
    output %y
  })";
  check_everywhere(kText, 1e-4);
  const Ran cpu = run_on({"cpu"}, kText);
  CHECK(cpu.times.size() == 1);
  CHECK(count_kernel(cpu, "conv_depthwise_f32") == 1);
}

TEST_CASE("an infinite weight is not multiplied with the padding on the cpu") {
  // Sums of infinities alone: a product with a zero of the padding would make them NaN.
  constexpr std::string_view kText = R"(graph {
    input %x : float32[1, 16, 5, 4]
    input %few : float32[1, 3, 5, 4]
    input %v : float32[9, 16, 3, 3]
    const %w : float32[9, 16, 3, 3] = random 26
    const %wf : float32[9, 3, 3, 3] = random 27
    const %zero : float32[] = 0
    %px = Exp(%x)
    %pf = Exp(%few)
    %ew = Exp(%w)
    %iw = Div(%ew, %zero)
    %ef = Exp(%wf)
    %if = Div(%ef, %zero)
    %ev = Exp(%v)
    %iv = Div(%ev, %zero)
    %a = Conv(%px, %iw, pads = [1, 1, 1, 1])
    %b = Conv(%pf, %if, pads = [1, 1, 1, 1])
    %c = Conv(%px, %iv, pads = [1, 1, 1, 1])
    output %a
    output %b
    output %c
  })";
  const Ran cpu = run_on({"cpu"}, kText);
  CHECK(count_kernel(cpu, "conv_taps_f32_nhwc") == 2);
  CHECK(count_kernel(cpu, "conv_rows_f32_nhwc") == 1);
  for (const Tensor& y : cpu.outputs) {
    REQUIRE(y.elements() == 180);
    for (std::int64_t i = 0; i < y.elements(); ++i) {
      CHECK(element_as_f64(y, i) == std::numeric_limits<double>::infinity());
    }
  }
}

TEST_CASE("sums and activations run with their convolutions on the cpu") {
  constexpr std::string_view kText = R"(graph {
    input %x : float32[1, 16, 9, 7]
    const %w : float32[32, 16, 3, 3] = random 31
    const %b : float32[32] = random 32
    const %v : float32[32, 1, 3, 3] = random 33
    const %u : float32[32, 32, 1, 1] = random 34
    const %low : float32[] = [0]
    const %high : float32[] = [6]
    %a0 = Conv(%x, %w, %b, pads = [1, 1, 1, 1])
    %a = Relu(%a0)
    %c0 = Conv(%a, %v, %b, group = 32, pads = [1, 1, 1, 1])
    %c = Clip(%c0, %low, %high)
    %d0 = Conv(%c, %u)
    %d1 = Add(%d0, %a)
    %d = HardSwish(%d1)
    %e0 = Conv(%d, %v, group = 32, pads = [1, 1, 1, 1])
    %e1 = Sigmoid(%e0)
    %y = Mul(%e0, %e1)
    output %y
  })";
  check_everywhere(kText, 1e-4);
  const Ran cpu = run_on({"cpu"}, kText);
  CHECK(count_op(cpu, "polaris.FusedConv") == 4);
  CHECK(cpu.times.size() == 6);  // and x and y, brought into their layouts
}

TEST_CASE("constant data of a convolution stays row-major") {
  constexpr std::string_view kText = R"(graph {
    const %x : float32[1, 16, 5, 4] = random 35
    input %w : float32[16, 16, 3, 3]
    %y = Conv(%x, %w, pads = [1, 1, 1, 1])
    output %y
  })";
  check_everywhere(kText, 1e-4);
  CHECK(count_kernel(run_on({"cpu"}, kText), "conv_im2col_f32") == 1);
}
