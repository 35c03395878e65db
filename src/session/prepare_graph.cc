#include "session/prepare_graph.h"

#include "ir/verifier.h"

namespace polaris {

Result<std::string> prepare_graph(Graph& graph, const Runtime& runtime,
                                  const ProgramOptions& options) {
  (void)runtime;
  (void)options;
  if (auto status = infer_graph(graph); !status) return status.error();
  return std::string();
}

}  // namespace polaris
