#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace polaris {

/// Where the inputs of one run come from and where its outputs go, by the function's own names.
/// What stays on a device under a name, or in a state, never crosses to the host; outputs that are
/// not named here are not brought anywhere.
class Bindings {
 public:
  struct Kept {
    std::string name;
  };
  struct InState {
    std::string name;
  };
  struct Host {};
  struct Input {
    std::string name;
    std::variant<Tensor, Kept, InState> from;
  };
  struct Output {
    std::string name;
    std::variant<Host, Kept, InState> to;
  };

  /// The input is this host tensor.
  Bindings& input(std::string_view name, Tensor tensor) {
    return add(Input{std::string(name), std::move(tensor)});
  }
  /// The input is what an earlier run of the session kept under `kept`.
  Bindings& input_kept(std::string_view name, std::string_view kept) {
    return add(Input{std::string(name), Kept{std::string(kept)}});
  }
  /// The input is what the state holds before the run.
  Bindings& input_state(std::string_view name, std::string_view state) {
    return add(Input{std::string(name), InState{std::string(state)}});
  }
  /// The output is a host tensor. Several come in the order in which they were asked for.
  Bindings& output(std::string_view name) { return add(Output{std::string(name), Host{}}); }
  /// The output stays where it is under `kept`, in place of what was kept under that name.
  Bindings& output_kept(std::string_view name, std::string_view kept) {
    return add(Output{std::string(name), Kept{std::string(kept)}});
  }
  /// The state holds the output after the run.
  Bindings& output_state(std::string_view name, std::string_view state) {
    return add(Output{std::string(name), InState{std::string(state)}});
  }

  const std::vector<Input>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }

 private:
  Bindings& add(Input input) {
    inputs_.push_back(std::move(input));
    return *this;
  }
  Bindings& add(Output output) {
    outputs_.push_back(std::move(output));
    return *this;
  }
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace polaris
