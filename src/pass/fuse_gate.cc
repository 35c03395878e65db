#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/matmul.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// A polaris.Linear without a bias.
const Node* plain_linear(const Editor& editor, ValueId y) {
  const Node* node = editor.producer(y, "Linear", "polaris");
  return node != nullptr && (node->inputs.size() < 3 || !node->inputs[2].valid()) ? node : nullptr;
}

/// What an activation is of, and which.
struct Activated {
  ValueId gate;
  std::string activation;
};

/// x * Sigmoid(x), either way round.
std::optional<Activated> spelled_silu(const Editor& editor, ValueId y) {
  const Node* product = editor.producer(y, "Mul");
  if (product == nullptr) return std::nullopt;
  for (std::size_t side = 0; side < 2; ++side) {
    const ValueId gate = product->inputs[side];
    const ValueId factor = product->inputs[1 - side];
    const Node* sigmoid = editor.producer(factor, "Sigmoid");
    if (sigmoid == nullptr || sigmoid->inputs[0] != gate) continue;
    const auto users = editor.users(gate);
    const bool ours = editor.is_internal(gate) && std::distance(users.begin(), users.end()) == 2;
    if (ours && editor.only_user(factor).valid()) return Activated{gate, "silu"};
  }
  return std::nullopt;
}

std::optional<Activated> activated(const Editor& editor, ValueId y) {
  if (!editor.only_user(y).valid()) return std::nullopt;
  if (auto silu = spelled_silu(editor, y)) return silu;
  std::optional<Activated> out;
  if (const Node* swish = editor.producer(y, "Swish")) {
    if (swish->attrs_as<SwishAttrs>().alpha == 1.0f) out = {swish->inputs[0], "silu"};
  } else if (const Node* gelu = editor.producer(y, "Gelu")) {
    if (gelu->attrs_as<GeluAttrs>().approximate == "tanh") out = {gelu->inputs[0], "gelu_tanh"};
  }
  return out && editor.only_user(out->gate).valid() ? out : std::nullopt;
}

/// `mul` as one product, where the activation is its input `side`.
Result<bool> fuse(Editor& editor, const Targets& targets, NodeId mul, std::size_t side) {
  const auto gated = activated(editor, editor.node(mul).inputs[side]);
  const ValueId up_value = editor.node(mul).inputs[1 - side];
  if (!gated || editor.only_user(up_value) != mul) return false;
  const Node* gate = plain_linear(editor, gated->gate);
  const Node* up = plain_linear(editor, up_value);
  if (gate == nullptr || up == nullptr || gate->inputs[0] != up->inputs[0]) return false;
  const std::vector<ValueId> inputs{gate->inputs[0], gate->inputs[1], up->inputs[1]};
  auto attrs = std::make_unique<GatedLinearAttrs>();
  attrs->activation = gated->activation;
  const auto types = editor.types_of("polaris.GatedLinear", inputs, attrs.get());
  if (!types || (*types)[0] != editor.type(editor.node(mul).outputs[0])) return false;
  if (!editor.runs(targets, "polaris.GatedLinear", inputs, attrs.get())) return false;
  auto made = replace_node(editor, mul, "polaris.GatedLinear", inputs, std::move(attrs));
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("Mul")) continue;
    if (!targets.of(graph.node(id).device).fuses_stages) continue;
    editor.focus(id);
    for (std::size_t side = 0; side < 2; ++side) {
      auto done = fuse(editor, targets, id, side);
      if (!done) return done;
      if (*done) break;
    }
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Mul"};

}  // namespace

extern constinit const Pass pass_fuse_gate{
    .name = "fuse_gate",
    .doc =
        "SiLU or GELU (tanh) of one polaris.Linear times another of the same input become "
        "polaris.GatedLinear, where the device fuses stages.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
