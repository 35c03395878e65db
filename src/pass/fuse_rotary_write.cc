#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/op_attrs/attention.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// Rows [T, heads * D] that a RotaryEmbedding of [1, T, heads * D] gives.
struct Turned {
  NodeId rotary;
  ValueId x;               // [1, T, heads * D], before it is turned
  ValueId tables[3];       // cosines, sines, positions
  std::int64_t heads = 0;  // and how, as the node has it
  bool interleaved = false;
  std::int64_t rotated = 0;

  bool like(const Turned& other) const {
    return std::equal(tables, tables + 3, other.tables) && interleaved == other.interleaved &&
           rotated == other.rotated;
  }
};

/// What turned `rows`, where `user` alone reads them.
std::optional<Turned> turned(const Editor& editor, ValueId rows, NodeId user) {
  const Node* flat = editor.producer(rows, "Reshape");
  if (flat == nullptr || editor.only_user(rows) != user) return std::nullopt;
  const ValueId y = flat->inputs[0];
  const Node* rotary = editor.producer(y, "RotaryEmbedding");
  if (rotary == nullptr || !editor.only_user(y).valid()) return std::nullopt;
  if (rotary->inputs.size() < 4 || !rotary->inputs[3].valid()) return std::nullopt;
  const Shape& x = editor.type(rotary->inputs[0]).shape;
  const Shape& to = editor.type(rows).shape;
  if (x.rank() != 3 || x[0] != 1 || to.rank() != 2 || x[1] != to[0] || x[2] != to[1] ||
      !is_static_dim(to[1])) {
    return std::nullopt;
  }
  const auto& attrs = rotary->attrs_as<RotaryEmbeddingAttrs>();
  return Turned{editor.value(y).producer,
                rotary->inputs[0],
                {rotary->inputs[1], rotary->inputs[2], rotary->inputs[3]},
                attrs.num_heads,
                attrs.interleaved,
                attrs.rotary_embedding_dim};
}

/// The attention that alone reads both caches that a write leaves.
NodeId only_reader(const Editor& editor, const Node& write) {
  NodeId out;
  for (const ValueId cache : write.outputs) {
    if (!cache.valid()) return {};
    for (const NodeId user : editor.users(cache)) {
      if (out.valid() && user != out) return {};
      out = user;
    }
  }
  const bool fits = out.valid() && editor.in_focus(editor.node(out)) &&
                    editor.node(out).op->is("PagedAttention", "polaris") &&
                    editor.node(out).inputs[1] == write.outputs[0] &&
                    editor.node(out).inputs[2] == write.outputs[1];
  return fits ? out : NodeId{};
}

/// x [1, T, W] as the rows [T, W].
Result<ValueId> as_rows(Editor& editor, NodeId before, ValueId x, const TensorType& rows) {
  const Node* batched = editor.producer(x, "Reshape");
  if (batched != nullptr && editor.type(batched->inputs[0]) == rows) return batched->inputs[0];
  const std::int64_t dims[] = {-1, rows.shape[1]};
  auto shape = Tensor::from<std::int64_t>(DType::kI64, Shape{2}, dims);
  if (!shape) return shape.error();
  const std::string name = editor.value(x).name + ".rows";
  const ValueId to = editor.add_constant(name + ".shape", shape.take());
  return add_value(editor, before, "Reshape", {x, to}, name);
}

/// What is made stands where the attention is: all that either reads is there by then.
Result<bool> fuse(Editor& editor, const Targets& targets, NodeId write) {
  editor.focus(write);
  if (!targets.of(editor.node(write).device).fuses_stages) return false;
  const NodeId reader = only_reader(editor, editor.node(write));
  if (!reader.valid()) return false;
  std::vector<ValueId> inputs = editor.node(write).inputs;  // caches, k, v, slots
  const std::vector<ValueId> written = editor.node(write).outputs;
  const std::string name = editor.node(write).name;
  const ValueId turned_k = inputs[2];
  const ValueId turned_q = editor.node(reader).inputs[0];
  const auto k = turned(editor, turned_k, write);
  const auto q = turned(editor, turned_q, reader);
  if (!k || !q || !k->like(*q)) return false;
  auto attrs = std::make_unique<RotaryKvWriteAttrs>();
  attrs->num_heads = q->heads;
  attrs->num_kv_heads = k->heads;
  attrs->interleaved = k->interleaved;
  attrs->rotary_embedding_dim = k->rotated;
  inputs = {inputs[0],    inputs[1],    turned_q,     turned_k, inputs[3],
            k->tables[0], k->tables[1], k->tables[2], inputs[4]};
  constexpr std::string_view kOp = "polaris.RotaryKvWrite";
  if (!editor.runs(targets, kOp, inputs, attrs.get(), 3)) return false;
  for (const auto& [slot, rows] : {std::pair{2, *q}, std::pair{3, *k}}) {
    auto x = as_rows(editor, reader, rows.x, editor.type(inputs[static_cast<std::size_t>(slot)]));
    if (!x) return x.error();
    inputs[static_cast<std::size_t>(slot)] = *x;
  }
  auto made = editor.add(reader, kOp, inputs, name, std::move(attrs), 3);
  if (!made) return made.error();
  const std::vector<ValueId> outputs = editor.node(*made).outputs;
  editor.replace(written[0], outputs[0]);
  editor.replace(written[1], outputs[1]);
  const NodeId old_q = editor.value(turned_q).producer;
  editor.replace(turned_q, outputs[2]);
  editor.remove_if_dead(write);
  editor.remove_if_dead(old_q);
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("KvWrite", "polaris")) continue;
    if (auto done = fuse(editor, targets, id); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"polaris.KvWrite"};

}  // namespace

extern constinit const Pass pass_fuse_rotary_write{
    .name = "fuse_rotary_write",
    .doc =
        "RotaryEmbedding of q and k before a KvWrite and its PagedAttention become one "
        "polaris.RotaryKvWrite, where the device fuses stages.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
