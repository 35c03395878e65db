// Loop, If and data-dependent shapes against onnxruntime's answers, on each device and across two.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/op_set.h"
#include "ir/text/text.h"
#include "support/session_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

const std::vector<std::vector<std::string>> kDevices = {
    {"reference"}, {"cpu"}, {"vulkan"}, {"cpu", "vulkan"}, {"vulkan", "cpu"}, {"vulkan", "vulkan"}};

void check_everywhere(const std::string& name, const std::vector<std::string>& cases) {
  for (const auto& names : kDevices) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    for (const std::string& test_case : cases) check_onnx_case(runtime, name, test_case);
  }
}

}  // namespace

TEST_CASE("a Loop's trip count and output lengths depend on data") {
  check_everywhere("loop_dynamic", {"few", "many", "once"});
}

TEST_CASE("an If inside a Loop takes both branches and reads outer values") {
  check_everywhere("if_in_loop", {"seven", "none"});
}

TEST_CASE("a Scan has axes and directions of its own for each operand and result") {
  check_everywhere("scan_axes", {"five", "one"});
}

TEST_CASE("a Scan of an old op-set scans every item of its batch") {
  check_everywhere("scan_batch", {"three"});
}

TEST_CASE("a model's own functions run with the attributes of each call") {
  check_everywhere("local_functions", {"two", "five"});
}

TEST_CASE("NonZero feeds a GatherND, a Gather and a Reshape") {
  check_everywhere("nonzero_gather", {"some", "one", "none"});
}

TEST_CASE("split over cpu and vulkan, both devices work and values cross") {
  auto runtime = make_runtime({"cpu", "vulkan"});
  if (!runtime) return;
  Trace trace;
  RunOptions options;
  options.trace = &trace;
  ProgramOptions halves;  // by cost, all of so small a graph would go to one of them
  halves.shares = {0.5, 0.5};
  check_onnx_case(runtime, "nonzero_gather", "some", options, halves);
  bool cpu = false;
  bool vulkan = false;
  for (const TraceEvent& event : trace.events()) {
    if (!event.what.starts_with("segment")) continue;
    cpu = cpu || event.device == "cpu";
    vulkan = vulkan || event.device.starts_with("vulkan");
  }
  CHECK(cpu);
  CHECK(vulkan);
}

namespace {

/// y is -x where the size of x, put through `how` (which gives %f of %n), equals k; else x + x.
std::string chosen_by_size(const std::string& how, std::int64_t k) {
  return R"(graph {
    symbol N
    input %x : float32[N]
    const %zero : int64[] = 0
    const %one : int64[] = 1
    const %three : int64[] = 3
    const %eight : int64[] = 8
    const %k : int64[] = )" +
         std::to_string(k) + R"(
    %shape = Shape(%x)
    %n = Gather(%shape, %zero)
    )" + how +
         R"(
    %c = Equal(%f, %k)
    %y = If(%c, %x) graph {
      input %a : float32[N]
      %r = Neg(%a)
      output %r
    } graph {
      input %a : float32[N]
      %r = Add(%a, %a)
      output %r
    }
    output %y
  })";
}

struct Choice {
  const char* how;
  std::int64_t (*f)(std::int64_t);
};

constexpr Choice kChoices[] = {
    {"%f = Identity(%n)", [](std::int64_t n) { return n; }},
    {"%f = Add(%n, %three)", [](std::int64_t n) { return n + 3; }},
    {"%f = Mul(%n, %three)", [](std::int64_t n) { return n * 3; }},
    {"%f = Div(%n, %three)", [](std::int64_t n) { return n / 3; }},
    {"%f = Mod(%n, %eight)", [](std::int64_t n) { return n % 8; }},
    {"%f = Min(%n, %eight)", [](std::int64_t n) { return n < 8 ? n : 8; }},
    {"%f = Max(%n, %eight)", [](std::int64_t n) { return n > 8 ? n : 8; }},
    {"%e = Equal(%n, %three)\n%f = Where(%e, %one, %n)",
     [](std::int64_t n) { return n == 3 ? 1 : n; }},
    {"%i = Cast(%n, to = int32)\n%f = Cast(%i, to = int64)", [](std::int64_t n) { return n; }},
};

}  // namespace

TEST_CASE("a branch chosen by a size is chosen by the size of the run") {
  const OpSet ops = OpSet::builtin();
  for (const auto& names : {kDevices[0], kDevices[1], kDevices[2]}) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    for (const Choice& choice : kChoices) {
      CAPTURE(choice.how);
      for (std::int64_t k : {1, 3, 7, 8, 224}) {
        auto graph = parse_graph(chosen_by_size(choice.how, k), ops);
        REQUIRE_MESSAGE(graph.ok(), graph.error().message());
        auto program = Program::compile(runtime, graph.take(), {});
        REQUIRE_MESSAGE(program.ok(), program.error().message());
        auto session = Session::create(*program);
        REQUIRE(session.ok());
        for (std::int64_t n : {1, 2, 3, 7, 8, 11, 24, 75, 221, 224}) {
          auto x = Tensor::allocate(DType::kF32, {n});
          REQUIRE(x.ok());
          std::fill_n(x->mutable_data<float>(), n, 1.5f);
          std::vector<Tensor> outputs;
          const Status status = (*session)->run({&*x, 1}, outputs, {});
          REQUIRE_MESSAGE(status.ok(), status.error().message());
          const float wanted = choice.f(n) == k ? -1.5f : 3.0f;
          CAPTURE(n);
          REQUIRE(outputs[0].elements() == n);
          CHECK(outputs[0].data<float>()[n - 1] == wanted);
        }
      }
    }
  }
}

TEST_CASE("branches may differ in rank, and one that does not fit may stand untaken") {
  constexpr std::string_view kText = R"(graph {
    symbol N
    symbol M
    input %x : float32[N, M]
    const %zero : int64[] = 0
    const %one : int64[] = 1
    const %axis : int64[1] = [1]
    const %four : int64[1] = [4]
    const %six : float32[6] = [1, 2, 3, 4, 5, 6]
    %shape = Shape(%x)
    %n = Gather(%shape, %zero)
    %m = Gather(%shape, %one)
    %narrow = Equal(%m, %one)
    %y = If(%narrow, %x, %axis) graph {
      input %a : float32[N, M]
      input %b : int64[1]
      %r = Squeeze(%a, %b)
      output %r
    } graph {
      input %a : float32[N, M]
      input %b : int64[1]
      %r = Neg(%a)
      output %r
    }
    %z = Add(%y, %y)
    %long = Greater(%n, %one)
    %w = If(%long, %z, %four, %six) graph {
      input %a : float32[N]
      input %b : int64[1]
      input %c : float32[6]
      %r = Exp(%a)
      output %r
    } graph {
      input %a : float32[N]
      input %b : int64[1]
      input %c : float32[6]
      %r = Reshape(%c, %b)
      output %r
    }
    output %w
    output %z
  })";
  const OpSet ops = OpSet::builtin();
  for (const auto& names : kDevices) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto graph = parse_graph(kText, ops);
    REQUIRE_MESSAGE(graph.ok(), graph.error().message());
    auto program = Program::compile(runtime, graph.take(), {});
    REQUIRE_MESSAGE(program.ok(), program.error().message());
    auto session = Session::create(*program);
    REQUIRE(session.ok());
    const auto run = [&](Shape shape, std::vector<Tensor>& outputs) {
      auto x = Tensor::allocate(DType::kF32, shape);
      REQUIRE(x.ok());
      std::fill_n(x->mutable_data<float>(), x->elements(), -0.5f);
      return (*session)->run({&*x, 1}, outputs);
    };
    std::vector<Tensor> outputs;
    REQUIRE(run({3, 1}, outputs));
    CHECK(outputs[0].shape() == Shape{3});
    CHECK(outputs[1].shape() == Shape{3});
    CHECK(outputs[1].data<float>()[2] == -1.0f);
    REQUIRE(run({3, 2}, outputs));
    CHECK(outputs[0].shape() == Shape{3, 2});
    CHECK(outputs[1].data<float>()[5] == 1.0f);
    const Status refused = run({1, 2}, outputs);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().find("[Reshape] node 'r'") != std::string::npos);
  }
}

TEST_CASE("ranks that only the run tells") {
  constexpr std::string_view kText = R"(graph {
    symbol N
    symbol R
    symbol A
    input %x : float32[N, 6]
    input %shape : int64[R]
    input %axes : int64[A]
    const %flat : int64[1] = [-1]
    %reshaped = Reshape(%x, %shape)
    %negated = Neg(%reshaped)
    %ones = ConstantOfShape(%shape)
    %sum = Add(%negated, %ones)
    %squeezed = Squeeze(%x)
    %doubled = Add(%squeezed, %squeezed)
    %wider = Unsqueeze(%x, %axes)
    %spread = Expand(%x, %shape)
    %total = ReduceSum(%wider, %axes, keepdims = false)
    %line = Reshape(%sum, %flat)
    output %sum
    output %doubled
    output %wider
    output %total
    output %line
    output %spread
  })";
  const OpSet ops = OpSet::builtin();
  for (const auto& names : kDevices) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto graph = parse_graph(kText, ops);
    REQUIRE_MESSAGE(graph.ok(), graph.error().message());
    auto program = Program::compile(runtime, graph.take(), {});
    REQUIRE_MESSAGE(program.ok(), program.error().message());
    auto session = Session::create(*program);
    REQUIRE(session.ok());
    struct Case {
      std::int64_t rows;
      std::vector<std::int64_t> shape, axes;
      Shape squeezed, wider;
    };
    const Case cases[] = {{1, {1, 6}, {0}, {6}, {1, 1, 6}},
                          {1, {1, 1, 1, 6}, {0, 3}, {6}, {1, 1, 6, 1}},
                          {2, {1, 2, 6}, {1, -1}, {2, 6}, {2, 1, 6, 1}}};
    for (const Case& c : cases) {
      const Shape wanted(c.shape);
      std::vector<float> numbers(static_cast<std::size_t>(c.rows * 6));
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
      const auto ints = [](const std::vector<std::int64_t>& list) {
        return Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(list.size())},
                                          list)
            .take();
      };
      const Tensor inputs[] = {Tensor::from<float>(DType::kF32, {c.rows, 6}, numbers).take(),
                               ints(c.shape), ints(c.axes)};
      std::vector<Tensor> outputs;
      const Status ran = (*session)->run(inputs, outputs);
      REQUIRE_MESSAGE(ran.ok(), ran.error().message());
      const Shape shapes[] = {wanted, c.squeezed, c.wider, {c.rows, 6}, {c.rows * 6}, wanted};
      for (std::size_t i = 0; i < std::size(shapes); ++i) CHECK(outputs[i].shape() == shapes[i]);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        CHECK(outputs[0].data<float>()[i] == -numbers[i]);
        CHECK(outputs[1].data<float>()[i] == 2 * numbers[i]);
        CHECK(outputs[3].data<float>()[i] == numbers[i]);
        CHECK(outputs[5].data<float>()[i] == numbers[i]);
      }
    }
  }
}

TEST_CASE("a cancelled loop stops with an error and leaks nothing") {
  auto runtime = make_runtime({"cpu"});
  auto program = compile_onnx(runtime, "loop_dynamic");
  auto session = Session::create(program);
  REQUIRE(session);
  CancelToken token;
  token.cancel();
  RunOptions options;
  options.cancel = &token;
  std::vector<Tensor> outputs;
  const Status status =
      (*session)->run(case_inputs(program->graph(), "loop_dynamic", "many"), outputs, options);
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kCancelled);
}
