#include <string>

#include "ir/op_util/block_move.h"
#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

/// blocksize: side of the squares; mode: "DCR", channels are [row, column, rest], or "CRD",
/// [rest, row, column].
struct DepthToSpaceAttrs final : AttrsOf<DepthToSpaceAttrs> {
  std::int64_t blocksize = 1;
  std::string mode = "DCR";

  void visit(AttrVisitor& v) override {
    v.field("blocksize", blocksize);
    v.require("blocksize");
    v.field("mode", mode);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<DepthToSpaceAttrs>();
  const auto area = block_area(c, attrs.blocksize);
  if (!area) return area.error();
  if (attrs.mode != "DCR" && attrs.mode != "CRD") {
    return c.fail("mode, got '" + attrs.mode + "', wanted DCR or CRD");
  }
  const Shape& in = c.in(0).shape;
  const auto channels = divided(c, "channels", in[1], *area);
  if (!channels) return channels.error();
  set_output(c, 0, c.in(0).dtype,
             {in[0], *channels, dim_mul(in[2], attrs.blocksize), dim_mul(in[3], attrs.blocksize)});
  return Status::success();
}

std::optional<StridedMove> move(const NodeTypes& n) {
  const auto& attrs = static_cast<const DepthToSpaceAttrs&>(*n.attrs);
  const Shape& in = n.inputs[0].shape;
  const Shape strides = row_major_strides(in);
  const std::int64_t side = attrs.blocksize;
  const std::int64_t channels = n.outputs[0].shape[1];
  const bool rest_last = attrs.mode == "DCR";
  const std::int64_t column = rest_last ? channels * strides[1] : strides[1];
  StridedMove out;
  out.add(in[0], strides[0]);
  out.add(channels, rest_last ? strides[1] : side * side * strides[1]);
  out.add(in[2], strides[2]);
  out.add(side, side * column);
  out.add(in[3], strides[3]);
  out.add(side, column);
  return out;
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_depth_to_space{
    .name = "DepthToSpace",
    .doc =
        "[N, C, H, W] to [N, C / blocksize^2, H blocksize, W blocksize]: channels become squares.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<DepthToSpaceAttrs>,
    .infer = infer,
    .reference = move_reference,
    .view = move_view,
    .move = move,
};

}  // namespace polaris
