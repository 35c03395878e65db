// polaris.While and polaris.Case, as StableHLO and TensorFlow mean them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// Doubles x until it passes `limit`, counting; `k` is captured by both graphs.
constexpr std::string_view kWhile = R"(graph {
  input %x : float32[2]
  input %limit : float32[]
  const %zero : int32[] = 0
  const %one : int32[] = 1
  %last, %count = polaris.While(%x, %zero, %limit, %one, captures = 2) graph {
    input %v : float32[2]
    input %n : int32[]
    input %limit : float32[]
    input %one : int32[]
    %peak = ReduceMax(%v, keepdims = 0)
    %go = Less(%peak, %limit)
    output %go
  } graph {
    input %v : float32[2]
    input %n : int32[]
    input %limit : float32[]
    input %one : int32[]
    %w = Add(%v, %v)
    %m = Add(%n, %one)
    output %w
    output %m
  }
  output %last
  output %count
})";

std::string case_of(const std::string& index, int branches) {
  std::string out =
      "graph {\ninput %i : " + index + "\ninput %x : float32[2]\n%y = polaris.Case(%i, %x)";
  for (int b = 0; b < branches; ++b) {
    out += " graph {\ninput %x : float32[2]\nconst %k : float32[] = " + std::to_string(b + 1) +
           "\n%r = Mul(%x, %k)\noutput %r\n}";
  }
  return out + "\noutput %y\n}";
}

/// By evaluation before and after passes, and on all devices.
void check_everywhere(const std::string& text, const std::vector<Tensor>& inputs,
                      const std::vector<std::vector<float>>& wanted) {
  const Graph graph = graph_from_text(text);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  Graph after = graph.clone();
  REQUIRE(run_passes(after, Target{}, OpSet::builtin(), {.disabled = {}, .verify = true}));
  const auto check = [&](std::span<const Tensor> outputs) {
    REQUIRE(outputs.size() >= wanted.size());
    for (std::size_t o = 0; o < wanted.size(); ++o) {
      if (outputs[o].dtype() == DType::kF32) {
        CHECK(to_floats(outputs[o]) == wanted[o]);
      } else {
        CHECK(static_cast<float>(element_as_i64(outputs[o], 0)) == wanted[o][0]);
      }
    }
  };
  for (const Graph* at : {&graph, static_cast<const Graph*>(&after)}) {
    auto values = evaluate_graph(*at, inputs);
    REQUIRE_MESSAGE(values, values.error().message());
    check(values->outputs);
  }
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto session = session_of(program_from_text(runtime, text));
    std::vector<Tensor> outputs;
    const Status status = session->run(inputs, outputs, {});
    REQUIRE_MESSAGE(status, status.error().message());
    check(outputs);
  }
}

std::string error_of(const std::string& text) {
  auto graph = parse_graph(text, OpSet::builtin());
  REQUIRE_FALSE(graph);
  return graph.error().message();
}

}  // namespace

TEST_CASE("while: runs as long as its condition holds, also not at all") {
  const std::string text(kWhile);
  check_everywhere(text, {floats({2}, {1, -3}), floats({}, {100})}, {{128, -384}, {7}});
  check_everywhere(text, {floats({2}, {1, -3}), floats({}, {1})}, {{1, -3}, {0}});
}

TEST_CASE(
    "while: a carried value that grows has an unknown dim, one that changes type is refused") {
  std::string grows(kWhile);
  const std::string add = "%w = Add(%v, %v)";
  grows.replace(grows.find(add), add.size(), "%w = Concat(%v, %v, axis = 0)");
  const Graph graph = graph_from_text(grows);
  CHECK(graph.value(graph.outputs()[0]).type.shape == Shape{kUnknownDim});
  std::string turns(kWhile);
  turns.replace(turns.find(add), add.size(), "%w = Cast(%v, to = float64)");
  CHECK(error_of(turns).find("carried value 0 is float32[2] before and float64[2]") !=
        std::string::npos);
  std::string number(kWhile);
  const std::string less = "%go = Less(%peak, %limit)";
  number.replace(number.find(less), less.size(), "%go = Add(%peak, %limit)");
  CHECK(error_of(number).find("the condition, got float32[], wanted one bool") !=
        std::string::npos);
}

TEST_CASE("case: the branch of the index, and the last one where there is none") {
  for (const std::string type : {"int32", "int64"}) {
    for (const int branches : {1, 2, 4}) {
      for (const std::int64_t index : {0, 1, 3, 4, -1, 1000}) {
        CAPTURE(branches);
        CAPTURE(index);
        const auto narrow = static_cast<std::int32_t>(index);
        const auto scalar = type == "int32"
                                ? Tensor::from<std::int32_t>(DType::kI32, {}, {&narrow, 1})
                                : Tensor::from<std::int64_t>(DType::kI64, {}, {&index, 1});
        const std::int64_t taken = index < 0 || index >= branches ? branches - 1 : index;
        const auto scale = static_cast<float>(taken + 1);
        check_everywhere(case_of(type + "[]", branches), {*scalar, floats({2}, {2, -5})},
                         {{2 * scale, -5 * scale}});
      }
    }
  }
}

TEST_CASE("case: a known index tells the type, and no branches or another index are refused") {
  std::string known = case_of("int32[]", 3);
  const std::string input = "input %i : int32[]";
  known.replace(known.find(input), input.size(), "const %i : int32[] = 7");
  const std::string mul = "%r = Mul(%x, %k)";
  known.replace(known.rfind(mul), mul.size(), "%r = Cast(%x, to = int64)");
  const Graph graph = graph_from_text(known);
  CHECK(graph.value(graph.outputs()[0]).type.dtype == DType::kI64);
  CHECK(error_of(case_of("int32[]", 0)).find("subgraphs, got 0, wanted 1") != std::string::npos);
  CHECK(error_of(case_of("float32[]", 2)).find("index, got float32[]") != std::string::npos);
  CHECK(error_of(case_of("int32[2]", 2)).find("index, got int32[2]") != std::string::npos);
}

}  // namespace polaris::test
