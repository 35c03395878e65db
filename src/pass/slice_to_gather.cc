#include <algorithm>
#include <utility>

#include "ir/data_values.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/gather.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

constexpr std::int64_t kAxesMax = kMaxRank;

/// Builds the integer arithmetic that finds one axis's indices, before node `at`.
class Indices {
 public:
  Indices(Editor& editor, NodeId at) : editor_(editor), at_(at), name_(editor.node(at).name) {}

  /// Elements [start, end) by `step` of an axis of size `dim`, as Slice clamps them; all scalars.
  Result<ValueId> range(ValueId start, ValueId end, std::int64_t step, ValueId dim) {
    auto from = clamped(start, dim);
    if (!from) return from;
    auto to = clamped(end, dim);
    if (!to) return to;
    return add("Range", {*from, *to, scalar(step)});
  }

  Result<ValueId> element(ValueId list, std::int64_t i) {
    auto attrs = std::make_unique<GatherAttrs>();
    return add("Gather", {list, scalar(i)}, std::move(attrs));
  }

  Result<ValueId> as_int64(ValueId value) {
    if (editor_.type(value).dtype == DType::kI64) return value;
    auto attrs = std::make_unique<CastAttrs>();
    attrs->to = DType::kI64;
    return add("Cast", {value}, std::move(attrs));
  }

  /// The size of the data's axis: a constant where it is fixed.
  Result<ValueId> size(ValueId data, int axis) {
    const std::int64_t dim = editor_.type(data).shape[axis];
    if (is_static_dim(dim)) return scalar(dim);
    auto shape = add("Shape", {data});
    if (!shape) return shape;
    return element(*shape, axis);
  }

  Result<ValueId> add(std::string_view op, std::vector<ValueId> inputs,
                      std::unique_ptr<Attrs> attrs = nullptr) {
    return add_value(editor_, at_, op, std::move(inputs), name_ + ".at" + std::to_string(count_++),
                     std::move(attrs));
  }

 private:
  /// Counted from the end where negative, within [0, dim].
  Result<ValueId> clamped(ValueId value, ValueId dim) {
    auto negative = add("Less", {value, scalar(0)});
    if (!negative) return negative;
    auto wrapped = add("Add", {value, dim});
    if (!wrapped) return wrapped;
    auto counted = add("Where", {*negative, *wrapped, value});
    if (!counted) return counted;
    auto low = add("Max", {*counted, scalar(0)});
    if (!low) return low;
    return add("Min", {*low, dim});
  }

  ValueId scalar(std::int64_t value) {
    auto tensor = Tensor::from<std::int64_t>(DType::kI64, {}, {&value, 1});
    return tensor ? editor_.add_constant(name_ + ".c" + std::to_string(count_++), tensor.take())
                  : kNoValue;
  }

  Editor& editor_;
  NodeId at_;
  std::string name_;
  int count_ = 0;
};

/// The constant integers of an input, `otherwise` where it is absent; nothing where they are not
/// known.
std::optional<std::vector<std::int64_t>> ints(const Editor& editor, const Node& node,
                                              std::size_t input,
                                              const std::vector<std::int64_t>& otherwise) {
  if (input >= node.inputs.size() || !node.inputs[input].valid()) return otherwise;
  const Tensor* tensor = editor.constant(node.inputs[input]);
  if (tensor == nullptr) return std::nullopt;
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < tensor->elements(); ++i) out.push_back(element_as_i64(*tensor, i));
  return out;
}

Result<bool> rewrite(Editor& editor, NodeId id) {
  const Node& node = editor.node(id);
  const ValueId data = node.inputs[0];
  const TensorType& type = editor.type(data);
  const std::int64_t count = editor.type(node.inputs[1]).shape[0];
  if (!is_static_dim(count) || count < 1 || count > kAxesMax || !type.encoding.is_plain() ||
      editor.type(node.inputs[2]).shape != Shape{count}) {
    return false;
  }
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const auto axes = ints(editor, node, 3, all);
  const auto steps = ints(editor, node, 4, std::vector<std::int64_t>(all.size(), 1));
  if (!axes || !steps || axes->size() != all.size() || steps->size() != all.size()) return false;
  std::vector<int> places;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto axis = normalize_axis((*axes)[i], type.shape.rank());
    if (!axis || (*steps)[i] <= 0) return false;
    if (std::find(places.begin(), places.end(), *axis) != places.end()) return false;
    places.push_back(*axis);
  }
  Indices build(editor, id);
  auto starts = build.as_int64(node.inputs[1]);
  if (!starts) return starts.error();
  auto ends = build.as_int64(node.inputs[2]);
  if (!ends) return ends.error();
  ValueId at = data;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto start = build.element(*starts, all[i]);
    if (!start) return start.error();
    auto end = build.element(*ends, all[i]);
    if (!end) return end.error();
    auto dim = build.size(data, places[i]);
    if (!dim) return dim.error();
    auto indices = build.range(*start, *end, (*steps)[i], *dim);
    if (!indices) return indices.error();
    auto attrs = std::make_unique<GatherAttrs>();
    attrs->axis = places[i];
    const bool last = i + 1 == all.size();
    auto taken = last ? replace_node(editor, id, "Gather", {at, *indices}, std::move(attrs))
                      : build.add("Gather", {at, *indices}, std::move(attrs));
    if (!taken) return taken.error();
    at = *taken;
  }
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  const ValueFlags data = data_values(graph);
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (node.dead || !node.op->is("Slice")) continue;
    if (!data[node.inputs[1]]) continue;
    if (auto done = rewrite(editor, id); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Slice"};

}  // namespace

extern constinit const Pass pass_slice_to_gather{
    .name = "slice_to_gather",
    .doc =
        "Slice whose starts are data, as a loop's counter is, becomes Gather by a Range: the plan "
        "then holds how many elements are taken, not which.",
    .run = run,
    .starts_at = kStartsAt,
};

}  // namespace polaris
