#include "pipeline/top_logits.h"

#include <algorithm>
#include <vector>

namespace polaris {

Result<TopOutput> add_top_logits(Model& model, const OpSet& ops, std::int64_t count) {
  if (auto status = check_decoder(model); !status) return status.error();
  Graph& graph = *model.find("main");
  const ValueId logits = graph.outputs()[model.decoder->logits];
  TopOutput top;
  top.count = std::min(count, graph.value(logits).type.shape[1]);
  auto k = Tensor::from<std::int64_t>(DType::kI64, Shape{1}, std::vector<std::int64_t>{top.count});
  if (!k) return k.error();
  const ValueId wanted = graph.add_constant("top_logits.count", k.take());
  const NodeId node = graph.add_node(ops.find("TopK"), nullptr, {logits, wanted}, 2, "top_logits");
  top.logits = graph.outputs().size();
  top.ids = top.logits + 1;
  graph.mark_output(graph.node(node).outputs[0], "top_logits");
  graph.mark_output(graph.node(node).outputs[1], "top_ids");
  if (auto status = infer_node(graph, node); !status) return status.error();
  return top;
}

}  // namespace polaris
