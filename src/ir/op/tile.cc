#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1),
                      check_dims(c, "number of repeats", c.in(1).shape[0], in.rank()));
      !s) {
    return s;
  }
  const auto repeats = c.known_ints(1);
  Shape out = in;
  for (int i = 0; i < in.rank(); ++i) {
    const KnownInt times = repeats ? (*repeats)[static_cast<std::size_t>(i)] : KnownInt{};
    if (times.is_number() && times.value < 0) {
      return c.fail("repeats, got " + std::to_string(times.value));
    }
    out[i] = dim_mul(in[i], times.dim());
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// Each dim is two loops: the repeats, in which the input stands still, and the dim itself.
std::optional<StridedMove> move(const NodeTypes& n) {
  const Shape& in = n.inputs[0].shape;
  const Shape& out = n.outputs[0].shape;
  const Shape strides = row_major_strides(in);
  StridedMove move;
  for (int i = 0; i < in.rank(); ++i) {
    move.add(in[i] > 0 ? out[i] / in[i] : 0, 0);
    move.add(in[i], strides[i]);
  }
  return move;
}

constexpr Port kInputs[] = {{"input"}, {"repeats", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_tile{
    .name = "Tile",
    .doc = "The input repeated along each dim.",
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
};

}  // namespace polaris
