#include <optional>
#include <utility>

#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// The constant as one element a channel, where it is that for data of such a rank: [channels, 1,
/// 1] and the like.
std::optional<Tensor> per_channel(const Tensor& value, int rank, std::int64_t channels) {
  const Shape& shape = value.shape();
  const int axis = shape.rank() - rank + 1;  // that of the channels
  if (shape.rank() > rank || axis < 0 || value.elements() != channels) return std::nullopt;
  if (shape[axis] != channels) return std::nullopt;
  return value.reshaped({channels});
}

/// `add` as the convolution that is its input `side`.
Result<bool> fold(Editor& editor, NodeId add, std::size_t side) {
  const ValueId sum = editor.node(add).inputs[side];
  const ValueId other = editor.node(add).inputs[1 - side];
  const Node* conv = editor.producer(sum, "Conv");
  const Tensor* value = editor.constant(other);
  if (conv == nullptr || value == nullptr || editor.only_user(sum) != add) return false;
  if (conv->inputs.size() > 2 && conv->inputs[2].valid()) return false;
  const Shape& w = editor.type(conv->inputs[1]).shape;
  if (w.rank() < 3 || !is_static_dim(w[0])) return false;
  auto bias = per_channel(*value, w.rank(), w[0]);
  if (!bias) return false;
  const std::string name = editor.value(other).name;
  const ValueId b = editor.add_constant(name, std::move(*bias));
  auto made = replace_node(editor, add, "Conv", {conv->inputs[0], conv->inputs[1], b},
                           conv->attrs->clone());
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("Add")) continue;
    for (std::size_t side = 0; side < 2; ++side) {
      auto done = fold(editor, id, side);
      if (!done) return done;
      if (*done) break;
    }
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Add"};

}  // namespace

extern constinit const Pass pass_fold_conv_bias{
    .name = "fold_conv_bias",
    .doc = "An Add of one constant a channel after a Conv without a bias becomes its bias.",
    .run = run,
    .starts_at = kStartsAt,
};

}  // namespace polaris
