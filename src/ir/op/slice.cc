#include "ir/op_util/slice.h"

#include <utility>

#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

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

std::optional<StridedMove> move(const NodeTypes& n) {
  Ints ints[4];
  for (std::size_t i = 0; i < 4; ++i) {
    auto known = host_ints(n, i + 1);
    if (!known) return std::nullopt;
    ints[i] = std::move(*known);
  }
  const auto g = slice_geometry(n.inputs[0].shape, ints[0], ints[1], ints[2], ints[3]);
  if (!g) return std::nullopt;
  const Shape strides = row_major_strides(n.inputs[0].shape);
  StridedMove out;
  for (int i = 0; i < g->sizes.rank(); ++i) {
    out.start += g->starts[i] * strides[i];
    // A step past the ends is taken once at most; its product with the stride may not fit.
    out.add(g->sizes[i], g->sizes[i] > 1 ? strides[i] * g->steps[i] : 0);
  }
  return out;
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
    .reference = move_reference,
    .view = move_view,
    .move = move,
    .bytes = bytes,
};

}  // namespace polaris
