#pragma once
#include <string>

#include "ir/graph.h"
#include "session/program.h"

namespace polaris {

/// Runs the passes for the runtime's devices over a fresh graph; returns the runner's report.
/// `decoder`: of the graph, where it is one; its layers are then dealt as the options say.
Result<std::string> prepare_graph(Graph& graph, const Runtime& runtime,
                                  const ProgramOptions& options,
                                  const DecoderContract* decoder = nullptr);

}  // namespace polaris
