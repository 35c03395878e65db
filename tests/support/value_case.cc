#include "support/value_case.h"

#include <doctest/doctest.h>

#include "ir/evaluate_graph.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"
#include "wire/json_tensor.h"

namespace polaris::test {
namespace {

std::vector<Tensor> inputs_of(const Graph& graph, const std::vector<std::string>& texts) {
  REQUIRE(graph.inputs().size() == texts.size());
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto value = read_json_value(texts[i], graph.value(graph.inputs()[i]).type);
    REQUIRE_MESSAGE(value, value.error().message());
    out.push_back(value.take());
  }
  return out;
}

void check_outputs(const std::string& where, std::span<const Tensor> outputs,
                   const std::vector<std::string>& wanted) {
  CAPTURE(where);
  REQUIRE(outputs.size() == wanted.size());
  for (std::size_t o = 0; o < wanted.size(); ++o) {
    CAPTURE(o);
    CHECK(format_json_value(outputs[o]) == wanted[o]);
  }
}

Graph after_passes(const Graph& graph) {
  Graph out = graph.clone();
  const auto report = run_passes(out, Target{}, OpSet::builtin(), {.disabled = {}, .verify = true});
  REQUIRE_MESSAGE(report, report.error().message());
  return out;
}

}  // namespace

void check_values(std::string_view text, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& wanted) {
  const Graph graph = graph_from_text(text);
  CAPTURE(text);
  const auto verified = verify_graph(graph);
  CHECK_MESSAGE(verified, verified.error().message());
  const std::vector<Tensor> given = inputs_of(graph, inputs);
  const Graph after = after_passes(graph);
  for (const Graph* at : {&graph, &after}) {
    auto values = evaluate_graph(*at, given);
    REQUIRE_MESSAGE(values, values.error().message());
    check_outputs(at == &graph ? "evaluated" : "evaluated after passes", values->outputs, wanted);
  }
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    auto session = session_of(program_from_text(runtime, text));
    for (int run = 0; run < 2; ++run) {
      std::vector<Tensor> outputs;
      const auto ran = session->run(given, outputs);
      REQUIRE_MESSAGE(ran, ran.error().message());
      check_outputs(name, outputs, wanted);
    }
  }
}

void check_values_fail(std::string_view text, const std::vector<std::string>& inputs,
                       std::string_view message) {
  const Graph graph = graph_from_text(text);
  CAPTURE(text);
  const std::vector<Tensor> given = inputs_of(graph, inputs);
  const auto check = [&](const Error& error) {
    CHECK_MESSAGE(error.message().find(message) != std::string::npos, error.message());
  };
  auto values = evaluate_graph(graph, given);
  REQUIRE_FALSE(values.ok());
  check(values.error());
  for (const std::string name : {"reference", "cpu"}) {
    auto session = session_of(program_from_text(make_runtime({name}), text));
    std::vector<Tensor> outputs;
    const auto ran = session->run(given, outputs);
    REQUIRE_FALSE(ran.ok());
    check(ran.error());
  }
}

Tensor strings(const Shape& shape, const std::vector<std::string_view>& values) {
  auto out = Tensor::strings(shape, values);
  REQUIRE_MESSAGE(out, out.error().message());
  return out.take();
}

}  // namespace polaris::test
