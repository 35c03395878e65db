#pragma once
#include <string>
#include <string_view>

#include "ir/model.h"
#include "ir/text/text.h"

/// Models as text: their states, then one `graph NAME { ... }` a function. docs/passes.md has the
/// grammar; two functions over one state:
///
///   state memory : float32[2] = [1, 2]
///   graph put {
///     input %x : float32[2]
///     state %m : float32[2] named "memory"
///     update %m = %x
///   }
///   graph get {
///     state %m : float32[2] named "memory"
///     output %m "y"
///   }
namespace polaris {

/// Text that parse_model turns into an equal model: its functions and states.
std::string print_model(const Model& model, const PrintOptions& options = {});

/// Safe on hostile text, as parse_graph. A graph without a name is "main". A state that no line
/// above the graphs declares is declared by the first graph that names it. Errors: as parse_graph;
/// two functions of one name; functions that disagree on a state.
Result<Model> parse_model(std::string_view text, const OpSet& ops,
                          const ParseOptions& options = {});

}  // namespace polaris
