#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/shape.h"
#include "pass/editor.h"
#include "pass/pass.h"
#include "pass/weights.h"

namespace polaris {
namespace {

/// Whether the node's weight, input 1, has its N along dim 0, so that it can be cut into views.
bool cuts_by_row(const Node& node) {
  if (node.op->is("Linear", "polaris")) return true;
  return node.op->is("Gemm") && node.attrs_as<GemmAttrs>().transB;
}

/// The part of a bias [N] that belongs to columns [from, to); other biases do not split.
Result<ValueId> bias_part(Editor& editor, ValueId bias, std::int64_t n, std::int64_t from,
                          std::int64_t to) {
  if (!bias.valid()) return kNoValue;
  const auto& constant = editor.value(bias).constant;
  if (!constant || editor.type(bias).shape != Shape{n}) {
    return Error::unsupported("[split_large] a bias that is no constant of one number a column");
  }
  auto part = slice_weight(*constant, from, to);
  if (!part) return part.error();
  return editor.add_constant(std::make_shared<Constant>(part.take()));
}

Result<bool> split(Editor& editor, NodeId id, std::int64_t bytes_max) {
  const Node& node = editor.node(id);
  const ValueId w = node.inputs[1];
  const auto constant = editor.value(w).constant;
  if (!constant || constant->data.shape().rank() != 2) return false;
  const auto bytes = static_cast<std::int64_t>(constant->data.bytes().size());
  if (bytes <= bytes_max) return false;
  const std::int64_t n = constant->data.shape()[0];
  const std::int64_t row_bytes = ceil_div(bytes, std::max<std::int64_t>(n, 1));
  // Whole groups of 64 rows, so that kernels that pack rows together stay full.
  constexpr std::int64_t kRows = 64;
  std::int64_t rows = bytes_max / row_bytes;
  if (rows >= kRows) rows -= rows % kRows;
  const ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  if (rows == 0) return false;  // one row alone is too large: cutting along N does not help
  if (bias.valid() && (!editor.value(bias).constant || editor.type(bias).shape != Shape{n})) {
    return false;
  }
  std::vector<ValueId> parts;
  for (std::int64_t from = 0; from < n; from += rows) {
    const std::int64_t to = std::min(n, from + rows);
    auto weight = slice_weight(*constant, from, to);
    if (!weight) return false;
    std::vector<ValueId> inputs{node.inputs[0],
                                editor.add_constant(std::make_shared<Constant>(weight.take()))};
    auto b = bias_part(editor, bias, n, from, to);
    if (!b) return b.error();
    if (b->valid()) inputs.push_back(*b);
    auto part = add_value(editor, id, op_full_name(*node.op), std::move(inputs),
                          node.name + ".part" + std::to_string(parts.size()), node.attrs->clone());
    if (!part) return part.error();
    parts.push_back(*part);
  }
  auto attrs = std::make_unique<ConcatAttrs>();
  attrs->axis = -1;
  auto whole = replace_node(editor, id, "Concat", std::move(parts), std::move(attrs));
  if (!whole) return whole.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !cuts_by_row(graph.node(id))) continue;
    const std::int64_t bytes_max = targets.of(graph.node(id).device).binding_bytes_max;
    if (auto done = split(editor, id, bytes_max); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"polaris.Linear", "Gemm"};

}  // namespace

extern constinit const Pass pass_split_large{
    .name = "split_large",
    .doc =
        "A Linear or Gemm whose weight exceeds what one kernel may bind is cut along N; the parts "
        "are joined by Concat.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
