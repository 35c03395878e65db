#include "ir/any_rank.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

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

Status reference(RefContext& c) {
  Walk walk(c.out(0).type.shape);
  const int from = walk.add_broadcast(c.in(0).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    copy_elements(c.out(0), i, c.in(0), walk[from]);
  }
  return Status::success();
}

std::optional<ViewOf> view(const NodeTypes& n, int) {
  if (n.inputs[0].shape.elements() != n.outputs[0].shape.elements()) return std::nullopt;
  return ViewOf{0, 0};
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
    .reference = reference,
    .view = view,
};

}  // namespace polaris
