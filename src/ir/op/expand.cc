#include "ir/any_rank.h"
#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1)); !s) {
    return s;
  }
  const auto wanted = c.known_ints(1);
  const std::int64_t rank = c.in(1).shape[0];
  if (!wanted && !is_static_dim(rank)) {
    set_output(c, 0, c.in(0).dtype, any_rank());
    return Status::success();
  }
  Shape target;
  if (wanted) {
    if (wanted->size() > static_cast<std::size_t>(kMaxRank)) {
      return c.fail("rank, wanted at most " + std::to_string(kMaxRank));
    }
    for (const KnownInt& dim : *wanted) {
      if (dim.is_number() && dim.value < 0) {
        return c.fail("dim of the shape, got " + std::to_string(dim.value));
      }
      target.push_back(dim.dim());
    }
  } else {
    if (rank > kMaxRank) return c.fail("rank, wanted at most " + std::to_string(kMaxRank));
    target = Shape::filled(static_cast<int>(rank), kUnknownDim);
  }
  const auto out = broadcast_shapes(c.in(0).shape, target);
  if (!out) {
    return c.fail("shape, got " + target.to_string() + ", wanted one that broadcasts with " +
                  c.in(0).shape.to_string());
  }
  set_output(c, 0, c.in(0).dtype, *out);
  return Status::success();
}

std::optional<StridedMove> move(const NodeTypes& n) {
  const Shape& in = n.inputs[0].shape;
  const Shape& out = n.outputs[0].shape;
  const Shape strides = row_major_strides(in);
  StridedMove move;
  for (int o = 0, i = in.rank() - out.rank(); o < out.rank(); ++o, ++i) {
    move.add(out[o], i < 0 || in[i] == 1 ? 0 : strides[i]);
  }
  return move;
}

constexpr Port kInputs[] = {{"input"}, {"shape", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_expand{
    .name = "Expand",
    .doc = "The input broadcast with a shape.",
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
