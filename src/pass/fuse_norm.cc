#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/normalization.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// A product of normed rows, and what it becomes.
struct Reader {
  NodeId node;
  std::string_view op;
  std::vector<ValueId> inputs;  // without the rows and the squares
  std::unique_ptr<Attrs> attrs;

  std::vector<ValueId> fused_inputs(ValueId rows, ValueId squares) const {
    std::vector<ValueId> out{rows};
    const bool gated = op == "polaris.GatedLinear";
    out.insert(out.end(), inputs.begin(), inputs.begin() + (gated ? 2 : 1));
    out.push_back(squares);
    if (!gated && inputs.size() > 1 && inputs[1].valid()) out.push_back(inputs[1]);
    return out;
  }
};

/// The node as a reader of `rows`; without an op where it is none.
Reader reader_of(const Editor& editor, NodeId id, ValueId rows, float epsilon) {
  const Node& node = editor.node(id);
  Reader out;
  out.node = id;
  if (!editor.in_focus(node) || node.inputs[0] != rows ||
      std::count(node.inputs.begin(), node.inputs.end(), rows) != 1) {
    return out;
  }
  out.inputs.assign(node.inputs.begin() + 1, node.inputs.end());
  if (node.op->is("Linear", "polaris")) {
    auto attrs = std::make_unique<NormLinearAttrs>();
    attrs->epsilon = epsilon;
    out.attrs = std::move(attrs);
    out.op = "polaris.NormLinear";
  } else if (node.op->is("GatedLinear", "polaris") && node.inputs.size() == 3) {
    auto attrs = std::make_unique<GatedLinearAttrs>(node.attrs_as<GatedLinearAttrs>());
    attrs->epsilon = epsilon;
    out.attrs = std::move(attrs);
    out.op = "polaris.GatedLinear";
  }
  return out;
}

/// All that read the normed rows; empty where something else does.
std::vector<Reader> readers_of(const Editor& editor, ValueId rows, float epsilon) {
  std::vector<Reader> out;
  if (!editor.is_internal(rows)) return out;
  for (const NodeId user : editor.users(rows)) {
    out.push_back(reader_of(editor, user, rows, epsilon));
    if (out.back().op.empty()) return {};
  }
  return out;
}

/// The scale is of a row's own shape, the rows being those of the last dim.
bool norms_rows(const Editor& editor, const Node& norm) {
  const Shape& x = editor.type(norm.inputs[0]).shape;
  const Shape& scale = editor.type(norm.inputs[1]).shape;
  const std::int64_t axis = norm.attrs_as<RmsNormAttrs>().axis;
  return (axis == -1 || axis == x.rank() - 1) && scale.rank() == 1 && scale[0] == x.back() &&
         editor.type(norm.outputs[0]) == editor.type(norm.inputs[0]);
}

Result<bool> fuse(Editor& editor, const Targets& targets, NodeId norm_id) {
  const Node& norm = editor.node(norm_id);
  const ValueId sum = norm.inputs[0];
  const ValueId rows = norm.outputs[0];
  const Node* before = editor.producer(sum, "ResidualLinear", "polaris");
  if (before == nullptr || before->outputs.size() != 1 || !norms_rows(editor, norm)) return false;
  std::vector<Reader> readers = readers_of(editor, rows, norm.attrs_as<RmsNormAttrs>().epsilon);
  if (readers.empty()) return false;
  constexpr std::string_view kBefore = "polaris.ResidualLinear";
  const NodeId before_id = editor.value(sum).producer;
  const std::string name = before->name;
  std::vector<ValueId> inputs = before->inputs;
  inputs.push_back(norm.inputs[1]);
  // The scale was there for the norm, which may be later.
  if (editor.value(norm.inputs[1]).producer.valid()) return false;
  if (!editor.runs(targets, kBefore, inputs, nullptr, 3)) return false;
  auto made = editor.add(before_id, kBefore, inputs, name, nullptr, 3);
  if (!made) return made.error();
  const std::vector<ValueId> outputs = editor.node(*made).outputs;
  const bool all = std::all_of(readers.begin(), readers.end(), [&](const Reader& reader) {
    const auto fused = reader.fused_inputs(outputs[1], outputs[2]);
    return editor.runs(targets, reader.op, fused, reader.attrs.get());
  });
  if (!all) {
    editor.remove_if_dead(*made);
    return false;
  }
  editor.replace(sum, outputs[0]);
  editor.remove_if_dead(before_id);
  for (Reader& reader : readers) {
    auto fused = replace_node(editor, reader.node, reader.op,
                              reader.fused_inputs(outputs[1], outputs[2]), std::move(reader.attrs));
    if (!fused) return fused.error();
  }
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("RMSNormalization")) continue;
    if (!targets.of(graph.node(id).device).fuses_stages) continue;
    editor.focus(id);
    if (auto done = fuse(editor, targets, id); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"RMSNormalization"};

}  // namespace

extern constinit const Pass pass_fuse_norm{
    .name = "fuse_norm",
    .doc =
        "RMSNormalization between a polaris.ResidualLinear and the products that read it: the "
        "first gives scaled rows and sums of squares, the others become polaris.NormLinear or a "
        "GatedLinear that divides, where the device fuses stages.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
