#pragma once
#include <string>
#include <vector>

#include "command.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace CLI {
class App;
}

namespace polaris::cli {

/// What the command line says of a model's inputs.
struct InputOptions {
  std::vector<std::string> files;  // NAME=FILE.npy, .npz or .json, or FILE.npz
  bool random = false;             // fill those not given
  std::uint64_t seed = 0;
};

/// `-i NAME=FILE`: .npy, .npz or .json, read as the input's type (wire/value_file.h). `-i
/// FILE.npz`: each array is the input of its name.
void declare_input_files(CLI::App& app, InputOptions& options);

/// The inputs of a graph in its order: from files, else random where the options say so. Where a
/// name holds `=`, the text is cut at the name that the model has. Errors: invalid (no such input,
/// one missing, one given twice: wrong usage); those of reading the files.
Result<std::vector<Tensor>> gather_inputs(const Graph& graph, const Common& common,
                                          const InputOptions& options);

}  // namespace polaris::cli
