#include "support/rounded_activations.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "ir/op_def.h"
#include "tensor/half.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kBlock = 32;

Status infer(InferContext& c) {
  c.out(0) = c.in(0);
  return Status::success();
}

/// q8_0: a scale in f16 and 32 integers.
Status reference(RefContext& c) {
  const auto* x = reinterpret_cast<const float*>(c.in(0).data);
  auto* y = reinterpret_cast<float*>(c.out(0).data);
  const std::int64_t count = c.in(0).type.shape.elements();
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    float largest = 0;
    for (std::int64_t i = begin; i < begin + kBlock; ++i)
      largest = std::max(largest, std::abs(x[i]));
    const float scale = largest / 127.0f;
    const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
    const float stored = f16_to_f32(f32_to_f16(scale));
    for (std::int64_t i = begin; i < begin + kBlock; ++i) {
      y[i] = std::nearbyint(x[i] * inverse) * stored;
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"x"}};
constexpr Port kOutputs[] = {{"y"}};

constexpr OpDef kRoundQ8{
    .name = "RoundQ8",
    .domain = "test",
    .doc = "float32 x, its last dim in blocks of 32, rounded to q8_0 and back.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .reference = reference,
};

}  // namespace

void round_activations_to_q8_0(Graph& graph) {
  std::map<ValueId, ValueId> rounded;
  Insertions insertions;
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (!node.op->is("Linear", "polaris")) continue;
    if (graph.value(node.inputs[1]).type.encoding.is_plain()) continue;
    const ValueId x = node.inputs[0];
    if (!rounded.contains(x)) {
      const NodeId round = graph.add_loose_node(&kRoundQ8, nullptr, {x}, 1, node.name + ".round");
      insertions.add(id, round);
      rounded[x] = graph.node(round).outputs[0];
      graph.value(rounded[x]).type = graph.value(x).type;
    }
    graph.node(id).inputs[0] = rounded[x];
  }
  graph.insert_nodes(insertions);
}

}  // namespace polaris::test
