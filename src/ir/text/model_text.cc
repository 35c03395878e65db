#include "ir/text/model_text.h"

#include <algorithm>

#include "base/strings.h"
#include "ir/text/build.h"
#include "ir/text/syntax.h"

namespace polaris {
namespace {

/// The states declared above the graphs.
Result<States> declared_states(std::vector<StateText>& written) {
  States out;
  for (StateText& text : written) {
    const auto is_symbol = [](const std::string& name) { return !name.empty(); };
    if (std::ranges::any_of(text.type.symbols, is_symbol)) {
      return text_error(text.type.place, "a state outside of a graph, wanted sizes or ? as dims");
    }
    auto state = std::make_shared<State>();
    state->name = *text.name;
    state->type = text.type.type;
    state->paged = text.paged;
    if (text.initial) text.initial->name = *text.name;
    state->initial = std::move(text.initial);
    if (!out.emplace(*text.name, std::move(state)).second) {
      return text_error(text.value.place,
                        "state '" + printable(*text.name) + "' is declared twice");
    }
  }
  return out;
}

}  // namespace

Result<Model> parse_model(std::string_view text, const OpSet& ops, const ParseOptions& options) {
  TextSyntax syntax(text, options);
  auto tree = syntax.model();
  if (!tree) return tree.error();
  if (!syntax.at_end() || !syntax.status()) return syntax.unexpected("'graph' or the end");
  Model model;
  model.format = "text";
  auto states = declared_states(tree->states);
  if (!states) return states.error();
  model.states = states.take();
  for (const GraphText& written : tree->graphs) {
    auto graph = build_graph(written, ops, options, model.states);
    if (!graph) return graph.error();
    if (graph->name.empty()) graph->name = "main";
    const std::string name = graph->name;
    for (const StateUse& use : graph->states()) model.states.emplace(use.state->name, use.state);
    if (!model.functions.emplace(name, graph.take()).second) {
      return text_error(written.place, "two functions are named '" + printable(name) + "'");
    }
  }
  return model;
}

}  // namespace polaris
