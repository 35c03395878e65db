// Loops are planned once: what their bodies slice, gather or count by is brought to the plan, not
// put into it.

#include <doctest/doctest.h>

#include <string>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// A product that the loop's body reads, and a loop of `trips` over `body`, whose result it gives:
/// %i is the trip's number, %acc what is carried, %x [rows, 8] the product.
std::string loop_over(int rows, int trips, const std::string& body) {
  return "graph { input %in : float32[" + std::to_string(rows) + ", 8]\n" + R"(
    const %w : float32[8, 8] = random 1
    const %zero : float32[1, 8] = 0
    const %trips : int64[] = )" +
         std::to_string(trips) + R"(
    %x = MatMul(%in, %w)
    %y = Loop(%trips, _, %zero, %x, captures = 1) graph {
      input %i : int64[]
      input %c : bool[]
      input %acc : float32[1, 8]
      input %x : float32[)" +
         std::to_string(rows) + R"(, 8]
      const %axis : int64[1] = [0]
      const %one : int64[1] = [1]
      const %step : int64[] = 1
      const %v : float32[8, 8] = random 2
      %i1 = Unsqueeze(%i, %axis)
      )" +
         body + R"(
      %part = MatMul(%row, %v)
      %sum = Add(%acc, %part)
      %go = Identity(%c)
      output %go
      output %sum
    }
    output %y
  })";
}

void check_loop(const std::string& text, std::int64_t plans_wanted) {
  const Graph graph = graph_from_text(text);
  const auto inputs = numbers_for_inputs(graph);
  auto wanted = evaluate_graph(graph, inputs, {}, 1'000'000);
  REQUIRE_MESSAGE(wanted, wanted.error().message());
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    CAPTURE(name);
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    auto program = Program::compile(runtime, graph.clone());
    REQUIRE_MESSAGE(program, program.error().message());
    auto session = Session::create(*program);
    REQUIRE(session);
    std::vector<Tensor> outputs;
    for (int run = 0; run < 2; ++run) {
      const Status status = (*session)->run(inputs, outputs);
      REQUIRE_MESSAGE(status, status.error().message());
      CHECK(difference(outputs[0], wanted->outputs[0], 1.0, 1e-5) == "");
      // One plan of the body beside those of the graph around it; the second run makes none.
      CHECK((*program)->plans_created() == plans_wanted);
    }
  }
}

}  // namespace

TEST_CASE("a loop of 500 trips that slices by its counter has one plan of its body") {
  check_loop(loop_over(500, 500, R"(
    %end = Add(%i1, %one)
    %row = Slice(%x, %i1, %end, %axis))"),
             2);
}

TEST_CASE("a loop of 500 trips that gathers by its counter has one plan of its body") {
  check_loop(loop_over(500, 500, "%row = Gather(%x, %i1)"), 2);
}

TEST_CASE("a loop of 500 trips that slices and gathers by its counter has one plan of its body") {
  check_loop(loop_over(500, 500, R"(
    %end = Add(%i1, %one)
    %a = Slice(%x, %i1, %end, %axis)
    %b = Gather(%x, %i1)
    %row = Add(%a, %b))"),
             2);
}

TEST_CASE("a loop that ranges from its counter has one plan of its body") {
  check_loop(loop_over(20, 9, R"(
    %start = Mul(%i, %step)
    %limit = Add(%start, %step)
    %at = Range(%start, %limit, %step)
    %row = Gather(%x, %at))"),
             2);
}

TEST_CASE("a slice that the end of its axis cuts short makes a plan of its own") {
  // Two rows at a time out of 5: 2, 2, 2, 2, 1 rows.
  check_loop(loop_over(5, 5, R"(
    const %two : int64[1] = [2]
    %end = Add(%i1, %two)
    %rows = Slice(%x, %i1, %end, %axis)
    %row = ReduceSum(%rows, %axis, keepdims = 1))"),
             3);
}

TEST_CASE("lengths that are data make a plan each") {
  // The first i + 1 rows.
  check_loop(loop_over(6, 4, R"(
    const %from : int64[1] = [0]
    %end = Add(%i1, %one)
    %rows = Slice(%x, %from, %end, %axis)
    %row = ReduceSum(%rows, %axis, keepdims = 1))"),
             5);
}

TEST_CASE("slices from the end, in steps, along several axes") {
  check_loop(loop_over(9, 4, R"(
    const %axes : int64[2] = [1, 0]
    const %steps : int64[2] = [1, 3]
    const %ends : int64[2] = [9223372036854775807, 9223372036854775807]
    const %back : int64[1] = [-8]
    %starts = Concat(%back, %i1, axis = 0)
    %rows = Slice(%x, %starts, %ends, %axes, %steps)
    %row = ReduceSum(%rows, %axis, keepdims = 1))"),
             3);
}

}  // namespace polaris::test
