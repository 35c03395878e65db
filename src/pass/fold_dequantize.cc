#include "pass/fold.h"
#include "pass/pass.h"

namespace polaris {
namespace {

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  return fold_nodes(graph, ops, [](const Node& node) { return node.op->is("DequantizeLinear"); });
}

constexpr std::string_view kStartsAt[] = {"DequantizeLinear"};

}  // namespace

extern constinit const Pass pass_fold_dequantize{
    .name = "fold_dequantize",
    .doc = "Evaluates DequantizeLinear of constants that no quantized kernel took.",
    .run = run,
    .starts_at = kStartsAt,
};

}  // namespace polaris
