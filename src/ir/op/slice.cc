#include "ir/op_util/slice.h"

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

using Ints = std::vector<std::int64_t>;

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  for (int i = 1; i < 5; ++i) {
    if (auto s = all_of(check_dtype(c, i, kIndexTypes), check_rank(c, i, 1, 1)); !s) return s;
  }
  std::optional<Ints> inputs[4];
  bool known = true;
  for (int i = 0; i < 4; ++i) {
    inputs[i] = c.has(i + 1) ? c.ints(i + 1) : Ints{};
    known = known && inputs[i].has_value();
  }
  if (!known) {
    // Dims that no axis names stay.
    Shape out = inputs[2] && !inputs[2]->empty() ? in : Shape::filled(in.rank(), kUnknownDim);
    if (inputs[2]) {
      for (std::int64_t axis : *inputs[2]) {
        auto at = check_axis(c, axis, in.rank());
        if (!at) return at.error();
        out[*at] = kUnknownDim;
      }
    }
    set_output(c, 0, c.in(0).dtype, out);
    return Status::success();
  }
  const auto g = slice_geometry(in, *inputs[0], *inputs[1], *inputs[2], *inputs[3]);
  if (!g) {
    return c.fail("starts, ends, axes and steps for " + in.to_string() +
                  ", wanted equal lengths, axes once each and no step of 0");
  }
  set_output(c, 0, c.in(0).dtype, g->sizes);
  return Status::success();
}

Ints values_of(const RefContext& c, int i) { return c.has(i) ? read_i64(c.in(i)) : Ints{}; }

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const auto g =
      slice_geometry(in, values_of(c, 1), values_of(c, 2), values_of(c, 3), values_of(c, 4));
  if (!g) return c.fail("starts, ends, axes and steps contradict each other");
  const Shape own = row_major_strides(in);
  Shape strides = own;
  std::int64_t start = 0;
  for (int i = 0; i < in.rank(); ++i) {
    // A step past the ends is taken once at most; its product with the stride may not fit.
    strides[i] = g->sizes[i] > 1 ? own[i] * g->steps[i] : 0;
    start += own[i] * g->starts[i];
  }
  Walk walk(g->sizes);
  const int from = walk.add(strides, start);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    copy_elements(c.out(0), i, c.in(0), walk[from]);
  }
  return Status::success();
}

std::optional<ViewOf> view(const NodeTypes& n, int) {
  Ints ints[4];
  for (std::size_t i = 1; i < n.inputs.size() && i < 5; ++i) {
    const Tensor* value = i < n.values.size() ? n.values[i] : nullptr;
    if (value == nullptr) {
      // An absent input stands as a scalar; one that is there but not known forbids a view.
      if (n.inputs[i].shape.rank() != 0) return std::nullopt;
      continue;
    }
    for (std::int64_t e = 0; e < value->elements(); ++e) {
      ints[i - 1].push_back(element_as_i64(*value, e));
    }
  }
  const auto g = slice_geometry(n.inputs[0].shape, ints[0], ints[1], ints[2], ints[3]);
  if (!g) return std::nullopt;
  for (int i = 0; i < g->sizes.rank(); ++i) {
    if (g->steps[i] != 1 && g->sizes[i] > 1) return std::nullopt;
  }
  const auto offset = contiguous_offset(n.inputs[0], g->starts, g->sizes);
  if (!offset) return std::nullopt;
  return ViewOf{0, *offset};
}

std::int64_t bytes(const NodeTypes& n) { return 2 * n.outputs[0].bytes().value_or(0); }

constexpr Port kInputs[] = {{"data"},
                            {"starts", kHostRead},
                            {"ends", kHostRead},
                            {"axes", kOptional | kHostRead},
                            {"steps", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_slice{
    .name = "Slice",
    .doc = "From starts to ends (exclusive) by steps along axes; out of range is clamped.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer,
    .reference = reference,
    .view = view,
    .bytes = bytes,
};

}  // namespace polaris
