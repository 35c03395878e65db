#include "ir/op_util/block_move.h"
#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

/// blocksize: side of the squares.
struct SpaceToDepthAttrs final : AttrsOf<SpaceToDepthAttrs> {
  std::int64_t blocksize = 1;

  void visit(AttrVisitor& v) override {
    v.field("blocksize", blocksize);
    v.require("blocksize");
  }
};

Status infer(InferContext& c) {
  const std::int64_t side = c.as<SpaceToDepthAttrs>().blocksize;
  const auto area = block_area(c, side);
  if (!area) return area.error();
  const Shape& in = c.in(0).shape;
  const auto rows = divided(c, "height", in[2], side);
  if (!rows) return rows.error();
  const auto columns = divided(c, "width", in[3], side);
  if (!columns) return columns.error();
  set_output(c, 0, c.in(0).dtype, {in[0], dim_mul(in[1], *area), *rows, *columns});
  return Status::success();
}

std::optional<StridedMove> move(const NodeTypes& n) {
  const std::int64_t side = static_cast<const SpaceToDepthAttrs&>(*n.attrs).blocksize;
  const Shape& in = n.inputs[0].shape;
  const Shape strides = row_major_strides(in);
  StridedMove out;
  out.add(in[0], strides[0]);
  out.add(side, strides[2]);
  out.add(side, strides[3]);
  out.add(in[1], strides[1]);
  out.add(in[2] / side, side * strides[2]);
  out.add(in[3] / side, side * strides[3]);
  return out;
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_space_to_depth{
    .name = "SpaceToDepth",
    .doc =
        "[N, C, H, W] to [N, blocksize^2 C, H / blocksize, W / blocksize]: squares become "
        "channels, "
        "[row, column, C].",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<SpaceToDepthAttrs>,
    .infer = infer,
    .reference = move_reference,
    .view = move_view,
    .move = move,
};

}  // namespace polaris
