// Control flow is declared in one place: an operator made up here, in this file alone, goes through
// text, infer, verifier, evaluator, passes, planner and session.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/control.h"
#include "ir/evaluate_graph.h"
#include "ir/op_attrs/control.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// test.Sweep(limit, table, carried..., captures...): up to `limit` rounds while the first graph,
/// (carried..., captures...), gives true; the second one gets a column of the table, the last
/// first, the round, carried and captures, and gives the next carried and a column of the result,
/// whose last column is the first round's.
Status map_sweep(ControlView& v) {
  v.form = ControlView::Form::kRounds;
  v.trips = 0;
  v.condition = 0;
  v.body = 1;
  v.regions[0].outputs = 1;
  v.regions[1].inputs = {
      {.from = RegionInput::From::kElement, .operand = 1, .axis = -1, .backward = true},
      {.from = RegionInput::From::kRound}};
  for (int i = 0; i < v.carried(2); ++i) v.carry(2 + i, i);
  v.results.push_back(
      {.from = ControlResult::From::kStacked, .index = v.carried(2), .axis = 1, .backward = true});
  v.regions[1].outputs = v.carried(2) + 1;
  return Status::success();
}

constexpr Port kSweepInputs[] = {{"limit", kHostRead}, {"table"}, {"more", kOptional | kVariadic}};
constexpr Port kSweepOutputs[] = {{"results", kOptional | kVariadic}};
constexpr ControlDef kSweepControl{
    .regions = 2, .own_inputs = 2, .counts_captures = true, .map = map_sweep};
constexpr OpDef kSweep{.name = "Sweep",
                       .domain = "test",
                       .doc = "Made up.",
                       .inputs = kSweepInputs,
                       .outputs = kSweepOutputs,
                       .make_attrs = make_attrs<LoopAttrs>,
                       .infer = [](InferContext&) { return Status::success(); },
                       .control = &kSweepControl};

/// test.Repeat(carried..., captures...): the graph `count` times, its last output kept of each.
struct RepeatAttrs final : ControlAttrsOf<RepeatAttrs> {
  std::int64_t count = 0;

  void visit(AttrVisitor& v) override {
    v.field("captures", captures);
    v.field("count", count);
  }
};
Status map_repeat(ControlView& v) {
  v.most = v.as<RepeatAttrs>().count;
  if (v.most < 0) return v.fail("count, got " + std::to_string(v.most));
  for (int i = 0; i < v.carried(0); ++i) v.carry(i, i);
  v.results.push_back({.from = ControlResult::From::kStacked, .index = v.carried(0)});
  v.regions[0].outputs = v.carried(0) + 1;
  return Status::success();
}

constexpr Port kRepeatInputs[] = {{"initial", kVariadic}};
constexpr ControlDef kRepeatControl{.counts_captures = true, .map = map_repeat};
constexpr OpDef kRepeat{.name = "Repeat",
                        .domain = "test",
                        .doc = "Made up.",
                        .inputs = kRepeatInputs,
                        .outputs = kSweepOutputs,
                        .make_attrs = make_attrs<RepeatAttrs>,
                        .infer = [](InferContext&) { return Status::success(); },
                        .control = &kRepeatControl};

OpSet ops_with_sweep() {
  OpSet ops = OpSet::builtin();
  REQUIRE(ops.add(std::make_shared<const OpDef>(kSweep)));
  REQUIRE(ops.add(std::make_shared<const OpDef>(kRepeat)));
  return ops;
}

constexpr std::string_view kText = R"(graph {
  input %n : int64[]
  input %x : float32[3, 5]
  input %s : float32[3]
  const %k : float32[3] = [1, 2, 3]
  const %bound : float32[] = 100
  %last, %all = test.Sweep(%n, %x, %s, %k, %bound, captures = 2) graph {
    input %s : float32[3]
    input %k : float32[3]
    input %bound : float32[]
    %sum = ReduceSum(%s, keepdims = 0)
    %go = Less(%sum, %bound)
    output %go
  } graph {
    input %e : float32[3]
    input %i : int64[]
    input %s : float32[3]
    input %k : float32[3]
    input %bound : float32[]
    %f = Cast(%i, to = float32)
    %a = Mul(%e, %k)
    %b = Add(%s, %a)
    %c = Add(%b, %f)
    output %c
    output %b
  }
  %negative = Neg(%all)
  output %last
  output %negative
})";

struct Swept {
  std::vector<float> last;
  std::vector<float> negative;  // [3, rounds]
  std::int64_t rounds = 0;
};

/// What kText means.
Swept sweep(std::int64_t n, const std::vector<float>& x, std::vector<float> s) {
  std::vector<std::vector<float>> columns;
  for (std::int64_t i = 0; i < n && i < 5 && s[0] + s[1] + s[2] < 100; ++i) {
    std::vector<float>& column = columns.emplace_back();
    for (std::size_t r = 0; r < 3; ++r) {
      const float b = s[r] + x[r * 5 + static_cast<std::size_t>(4 - i)] * static_cast<float>(r + 1);
      column.push_back(b);
      s[r] = b + static_cast<float>(i);
    }
  }
  Swept out{s, {}, static_cast<std::int64_t>(columns.size())};
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = columns.size(); c-- > 0;) out.negative.push_back(-columns[c][r]);
  }
  return out;
}

struct Case {
  std::int64_t n;
  float start;
};
// No round, fewer than columns, all columns, and an end by the condition.
constexpr Case kCases[] = {{0, 1}, {3, 1}, {9, 1}, {-1, 1}, {5, 60}, {5, 20}};

std::vector<Tensor> inputs_of(const Case& c, std::vector<float>& x, std::vector<float>& s) {
  for (int i = 0; i < 15; ++i) x.push_back(static_cast<float>(i % 7) + 0.5f);
  s = {c.start, c.start + 1, c.start - 1};
  return {*Tensor::from<std::int64_t>(DType::kI64, {}, {&c.n, 1}), floats({3, 5}, x),
          floats({3}, s)};
}

void check_outputs(std::span<const Tensor> outputs, const Swept& wanted) {
  REQUIRE(outputs.size() == 2);
  CHECK(to_floats(outputs[0]) == wanted.last);
  CHECK(outputs[1].shape() == Shape{3, wanted.rounds});
  CHECK(to_floats(outputs[1]) == wanted.negative);
}

void check_evaluated(const Graph& graph) {
  for (const Case& c : kCases) {
    CAPTURE(c.n);
    CAPTURE(c.start);
    std::vector<float> x;
    std::vector<float> s;
    const auto inputs = inputs_of(c, x, s);
    auto values = evaluate_graph(graph, inputs);
    REQUIRE_MESSAGE(values, values.error().message());
    check_outputs(values->outputs, sweep(c.n, x, s));
  }
}

Graph parsed(const OpSet& ops, std::string_view text) {
  auto graph = parse_graph(text, ops);
  REQUIRE_MESSAGE(graph, graph.error().message());
  return graph.take();
}

}  // namespace

TEST_CASE("control: an operator declared in this file is inferred, verified and evaluated") {
  const OpSet ops = ops_with_sweep();
  const Graph graph = parsed(ops, kText);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  CHECK(graph.value(graph.outputs()[0]).type.shape == Shape{3});
  CHECK(graph.value(graph.outputs()[1]).type.shape == Shape{3, kUnknownDim});
  check_evaluated(graph);
  const std::string text = print_graph(graph);
  CHECK(print_graph(parsed(ops, text)) == text);
}

TEST_CASE("control: passes walk its graphs, and constants it captures go into them") {
  const OpSet ops = ops_with_sweep();
  Graph graph = parsed(ops, kText);
  auto report = run_passes(graph, Target{}, ops, {.disabled = {}, .verify = true});
  REQUIRE_MESSAGE(report, report.error().message());
  const Node& node = graph.node(graph.order()[0]);
  REQUIRE(node.op->is("Sweep", "test"));
  CHECK(node.inputs.size() == 3);
  CHECK(node.attrs_as<LoopAttrs>().captures == 0);
  check_evaluated(graph);
}

TEST_CASE("control: it runs on every device") {
  const OpSet ops = ops_with_sweep();
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto program = Program::compile(runtime, parsed(ops, kText));
    REQUIRE_MESSAGE(program, program.error().message());
    auto session = session_of(*program);
    for (const Case& c : kCases) {
      CAPTURE(c.n);
      CAPTURE(c.start);
      std::vector<float> x;
      std::vector<float> s;
      const auto inputs = inputs_of(c, x, s);
      std::vector<Tensor> outputs;
      const Status status = session->run(inputs, outputs, {});
      REQUIRE_MESSAGE(status, status.error().message());
      check_outputs(outputs, sweep(c.n, x, s));
    }
  }
}

TEST_CASE("control: rounds that an attribute counts are a size known at load time") {
  const OpSet ops = ops_with_sweep();
  for (const int count : {0, 1, 4}) {
    CAPTURE(count);
    const std::string text = R"(graph {
  input %x : float32[2]
  const %k : float32[2] = [2, 3]
  %last, %all = test.Repeat(%x, %k, captures = 1, count = )" +
                             std::to_string(count) + R"() graph {
    input %x : float32[2]
    input %k : float32[2]
    %y = Mul(%x, %k)
    output %y
    output %x
  }
  output %last
  output %all
})";
    std::vector<float> last{1, 10};
    std::vector<float> all;
    for (int i = 0; i < count; ++i) {
      all.insert(all.end(), last.begin(), last.end());
      last = {last[0] * 2, last[1] * 3};
    }
    CHECK(parsed(ops, text).value(parsed(ops, text).outputs()[1]).type.shape == Shape{count, 2});
    for (const std::string name : {"reference", "cpu", "vulkan"}) {
      auto runtime = make_runtime({name});
      if (!runtime) continue;
      CAPTURE(name);
      auto program = Program::compile(runtime, parsed(ops, text));
      REQUIRE_MESSAGE(program, program.error().message());
      std::vector<Tensor> outputs;
      const Tensor x = floats({2}, {1, 10});
      const Status status = session_of(*program)->run({&x, 1}, outputs, {});
      REQUIRE_MESSAGE(status, status.error().message());
      CHECK(to_floats(outputs[0]) == last);
      CHECK(outputs[1].shape() == Shape{count, 2});
      CHECK(to_floats(outputs[1]) == all);
    }
  }
}

TEST_CASE("control: what does not fit its declaration is refused by name") {
  const OpSet ops = ops_with_sweep();
  const std::string text(kText);
  const auto error_of = [&](std::string_view from, std::string_view to) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    auto graph = parse_graph(changed, ops);
    REQUIRE_FALSE(graph);
    return graph.error().message();
  };
  const auto has = [](const std::string& message, std::string_view part) {
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
    CHECK(message.find("[test.Sweep]") != std::string::npos);
  };
  has(error_of("captures = 2", "captures = 9"), "captures, got 9 of 5 inputs");
  has(error_of("captures = 2", "captures = -1"), "captures, got -1");
  has(error_of("captures = 2", "captures = 1"), "outputs of a subgraph, got 2, wanted 3");
  has(error_of("    output %c\n", ""), "outputs of a subgraph, got 1, wanted 2");
  has(error_of("%last, %all", "%last, %all, %more"), "outputs, got 3, wanted 2");
  has(error_of("%c = Add(%b, %f)", "%c = Cast(%b, to = int32)"),
      "carried value 0 is float32[3] before and int32[3] after an iteration");
  has(error_of("%go = Less(%sum, %bound)", "%go = Add(%sum, %bound)"),
      "the condition, got float32[], wanted one bool");
  has(error_of("input %x : float32[3, 5]", "input %x : float32[]"),
      "scan axis, got -1 of a value of 0 dims");
}

}  // namespace polaris::test
