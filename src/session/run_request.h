#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "session/bindings.h"
#include "session/function.h"

namespace polaris {

class Program;

/// Bindings resolved against a function: by index instead of by name.
struct RunRequest {
  /// A state by its index in Program::states().
  struct StateIndex {
    std::size_t index = 0;
  };
  using From = std::variant<Tensor, Bindings::Kept, StateIndex>;
  struct To {
    std::size_t output = 0;  // index in the function's outputs
    std::variant<Bindings::Host, Bindings::Kept, StateIndex> sink;
  };
  const Function* function = nullptr;
  std::vector<From> inputs;  // one per input of the function
  std::vector<To> outputs;   // in the order in which they were asked for
  /// Reads or changes what outlives the run: such runs go one at a time, in order.
  bool ordered = false;
};

/// Errors: not_found; unsupported where it is paged, as the session does not hold it.
Result<RunRequest::StateIndex> find_state(const Program& program, std::string_view name);

/// Errors: not_found (an input, output or state that is not there, a missing input), invalid (one
/// bound twice; a state that the function updates itself; a tensor that does not fit).
Result<RunRequest> resolve_bindings(const Program& program, const Function& function,
                                    const Bindings& bindings);
/// All inputs from the host, all outputs to it.
Result<RunRequest> request_of(const Function& function, std::span<const Tensor> inputs);

}  // namespace polaris
