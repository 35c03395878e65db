#include "ir/model.h"

namespace polaris {

Graph* Model::find(std::string_view function) {
  const auto found = functions.find(function);
  return found == functions.end() ? nullptr : &found->second;
}

const Graph* Model::find(std::string_view function) const {
  const auto found = functions.find(function);
  return found == functions.end() ? nullptr : &found->second;
}

Result<std::string> Model::function_name(const std::string& name) const {
  if (functions.empty()) {
    return Error::unsupported(
        "[" + format + "] nothing to run: " +
        (no_function_reason.empty() ? "the file holds no graph" : no_function_reason));
  }
  std::string wanted = name;
  if (wanted.empty()) wanted = functions.size() == 1 ? functions.begin()->first : "main";
  if (find(wanted) != nullptr) return wanted;
  std::string have;
  for (const auto& [function, unused] : functions) {
    if (!have.empty()) have += ", ";
    have += function;
  }
  return Error::not_found("[" + format + "] function, got '" + wanted + "', wanted one of " + have);
}

Result<Graph> Model::take(const std::string& function) {
  auto name = function_name(function);
  if (!name) return name.error();
  return std::move(functions.extract(*name).mapped());
}

Status join_states(Model& model) {
  for (auto& [name, graph] : model.functions) {
    for (StateUse& use : graph.states()) {
      const auto [held, fresh] = model.states.emplace(use.state->name, use.state);
      if (fresh || held->second == use.state) continue;
      if (auto status = check_same_state(*held->second, *use.state); !status) {
        return status.error().with_context("function '" + name + "'");
      }
      use.state = held->second;
    }
  }
  return Status::success();
}

Status verify_model(const Model& model, const VerifyOptions& options) {
  for (const auto& [name, graph] : model.functions) {
    if (auto status = verify_graph(graph, options); !status) {
      return status.error().with_context("function '" + name + "'");
    }
    for (const StateUse& use : graph.states()) {
      const auto held = model.states.find(use.state->name);
      if (held != model.states.end() && held->second == use.state) continue;
      return Error::invalid("[model] function '" + name + "': state '" + use.state->name +
                            "' is not the model's");
    }
  }
  if (auto status = check_decoder(model); !status) return status;
  return check_embedder(model);
}

}  // namespace polaris
