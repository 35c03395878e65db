#include "session/run_request.h"

#include <algorithm>
#include <set>

#include "session/program.h"

namespace polaris {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

Error unknown(const Function& function, std::string_view what, const std::string& name,
              std::string_view wanted) {
  return Error::not_found("[run] " + std::string(what) + " of '" + function.name + "', got '" +
                          name + "', wanted " + std::string(wanted));
}

Error twice(std::string_view what, const std::string& name) {
  return Error::invalid("[run] " + std::string(what) + " '" + name + "' is bound twice");
}

std::size_t find_input(const Graph& graph, std::string_view name) {
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    if (graph.value(graph.inputs()[i]).name == name) return i;
  }
  return kNone;
}

Result<RunRequest::From> resolve_input(const Program& program, const Bindings::Input& input) {
  if (const auto* kept = std::get_if<Bindings::Kept>(&input.from)) return RunRequest::From(*kept);
  if (const auto* tensor = std::get_if<Tensor>(&input.from)) {
    if (*tensor) return RunRequest::From(*tensor);
    return Error::invalid("[run] input '" + input.name + "', got nothing, wanted a tensor");
  }
  auto state = find_state(program, std::get<Bindings::InState>(input.from).name);
  if (!state) return state.error();
  return RunRequest::From(*state);
}

/// Whether the function itself gives the state its next value.
bool updates(const Function& function, std::size_t state) {
  for (std::size_t s = 0; s < function.states.size(); ++s) {
    const StateUse& use = function.graph.states()[s];
    if (function.states[s] == state && use.update != use.read) return true;
  }
  return false;
}

Status add_output(const Program& program, const Bindings::Output& output, RunRequest& out) {
  const Function& function = *out.function;
  const auto& names = function.graph.output_names();
  const auto at = std::ranges::find(names, output.name);
  if (at == names.end()) return unknown(function, "output", output.name, "an output of it");
  RunRequest::To to{static_cast<std::size_t>(at - names.begin()), Bindings::Host{}};
  if (const auto* kept = std::get_if<Bindings::Kept>(&output.to)) to.sink = *kept;
  if (const auto* named = std::get_if<Bindings::InState>(&output.to)) {
    auto state = find_state(program, named->name);
    if (!state) return state.error();
    const bool bound = std::ranges::any_of(out.outputs, [&](const RunRequest::To& other) {
      const auto* held = std::get_if<RunRequest::StateIndex>(&other.sink);
      return held != nullptr && held->index == state->index;
    });
    if (bound) return twice("state", named->name);
    if (updates(function, state->index)) {
      return Error::invalid("[run] state '" + named->name + "' is updated by '" + function.name +
                            "' itself, wanted one that it leaves alone");
    }
    to.sink = *state;
  }
  out.ordered = out.ordered || !std::holds_alternative<Bindings::Host>(output.to);
  out.outputs.push_back(std::move(to));
  return Status::success();
}

}  // namespace

Result<RunRequest::StateIndex> find_state(const Program& program, std::string_view name) {
  const auto& states = program.states();
  const auto at = std::ranges::find_if(
      states, [&](const ProgramState& held) { return held.state->name == name; });
  if (at == states.end()) {
    return Error::not_found("[run] state, got '" + std::string(name) +
                            "', wanted a state of the program");
  }
  if (at->state->paged) {
    return Error::unsupported("[run] state '" + std::string(name) +
                              "' is paged, wanted one of the session");
  }
  return RunRequest::StateIndex{static_cast<std::size_t>(at - states.begin())};
}

Result<RunRequest> resolve_bindings(const Program& program, const Function& function,
                                    const Bindings& bindings) {
  RunRequest out;
  out.function = &function;
  out.ordered = function.keeps_states;
  const Graph& graph = function.graph;
  out.inputs.resize(graph.inputs().size());
  std::vector<bool> bound(graph.inputs().size(), false);
  for (const Bindings::Input& input : bindings.inputs()) {
    const std::size_t at = find_input(graph, input.name);
    if (at == kNone) return unknown(function, "input", input.name, "an input of it");
    if (bound[at]) return twice("input", input.name);
    bound[at] = true;
    auto from = resolve_input(program, input);
    if (!from) return from.error();
    out.inputs[at] = from.take();
    out.ordered = out.ordered || !std::holds_alternative<Tensor>(out.inputs[at]);
  }
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (bound[i]) continue;
    return unknown(function, "inputs", "nothing", "'" + graph.value(graph.inputs()[i]).name + "'");
  }
  for (const Bindings::Output& output : bindings.outputs()) {
    if (auto status = add_output(program, output, out); !status) return status.error();
  }
  return out;
}

Result<RunRequest> request_of(const Function& function, std::span<const Tensor> inputs) {
  const Graph& graph = function.graph;
  if (inputs.size() != graph.inputs().size()) {
    return Error::invalid("[run] inputs, got " + std::to_string(inputs.size()) + ", wanted " +
                          std::to_string(graph.inputs().size()));
  }
  RunRequest out;
  out.function = &function;
  out.ordered = function.keeps_states;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) {
      return Error::invalid("[run] input '" + graph.value(graph.inputs()[i]).name +
                            "', got nothing, wanted a tensor");
    }
    out.inputs.emplace_back(inputs[i]);
  }
  for (std::size_t o = 0; o < graph.outputs().size(); ++o) {
    out.outputs.push_back({o, Bindings::Host{}});
  }
  return out;
}

}  // namespace polaris
