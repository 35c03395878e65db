#include "support/state_run.h"

#include <doctest/doctest.h>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// Inputs of each step: numbers that differ from step to step.
std::vector<std::vector<Tensor>> step_inputs(const Graph& graph, int steps) {
  std::vector<std::vector<Tensor>> out;
  for (int i = 0; i < steps; ++i) out.push_back(numbers_for_inputs(graph, 7919u * (i + 1u)));
  return out;
}

std::vector<std::vector<Tensor>> defined_outputs(const Graph& graph,
                                                 const std::vector<std::vector<Tensor>>& inputs) {
  std::vector<std::vector<Tensor>> out;
  std::vector<Tensor> states;
  for (const auto& step : inputs) {
    auto values = evaluate_graph(graph, step, states, 1'000'000);
    REQUIRE_MESSAGE(values, values.error().message());
    out.push_back(std::move(values->outputs));
    states = std::move(values->states);
  }
  return out;
}

}  // namespace

const std::vector<std::vector<std::string>>& state_devices() {
  // tidy: allow globals (a constant that no constexpr can hold)
  static const std::vector<std::vector<std::string>> devices = {
      {"reference"}, {"cpu"}, {"vulkan"}, {"cpu", "vulkan"}, {"vulkan", "cpu"}};
  return devices;
}

void check_states(std::string_view text, int steps) {
  const Graph graph = graph_from_text(text);
  const auto inputs = step_inputs(graph, steps);
  const auto wanted = defined_outputs(graph, inputs);
  for (const auto& names : state_devices()) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto program = Program::compile(runtime, graph.clone());
    REQUIRE_MESSAGE(program, program.error().message());
    auto session = Session::create(*program);
    REQUIRE_MESSAGE(session, session.error().message());
    // Twice from the first value on: reset brings it back.
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        CAPTURE(i);
        std::vector<Tensor> outputs;
        const Status status = (*session)->run(inputs[i], outputs);
        REQUIRE_MESSAGE(status, status.error().message());
        for (std::size_t o = 0; o < outputs.size(); ++o) {
          CAPTURE(o);
          CHECK(difference(outputs[o], wanted[i][o]) == "");
        }
      }
      REQUIRE((*session)->reset());
    }
  }
}

}  // namespace polaris::test
