#include "pass/fold.h"
#include "pass/pass.h"

namespace polaris {
namespace {

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  // Dequantized weights wait for the passes that keep them small.
  return fold_nodes(graph, ops, [](const Node& node) { return !node.op->is("DequantizeLinear"); });
}

}  // namespace

extern constinit const Pass pass_fold_constants{
    .name = "fold_constants",
    .doc = "Evaluates nodes whose inputs are constants, and shape arithmetic.",
    .run = run,
    .takes_any_rank = true,
};

}  // namespace polaris
