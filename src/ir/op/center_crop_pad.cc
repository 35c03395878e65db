#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// The axes that `shape` is for. Errors: invalid.
Result<std::vector<int>> axes_of(const InferContext& c) {
  const auto& attrs = c.as<CenterCropPadAttrs>();
  const int rank = c.in(0).shape.rank();
  std::vector<int> out;
  std::uint32_t seen = 0;
  for (int i = 0; attrs.axes.empty() && i < rank; ++i) out.push_back(i);
  for (std::int64_t axis : attrs.axes) {
    const auto at = check_axis(c, axis, rank);
    if (!at) return at.error();
    if ((seen >> *at & 1u) != 0) {
      return c.fail("axes, got " + std::to_string(axis) + " twice, wanted each once");
    }
    seen |= 1u << *at;
    out.push_back(*at);
  }
  return out;
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, kIndexTypes), check_rank(c, 1, 1, 1)); !s) return s;
  const auto axes = axes_of(c);
  if (!axes) return axes.error();
  if (auto s = check_dims(c, "number of sizes", c.in(1).shape[0],
                          static_cast<std::int64_t>(axes->size()));
      !s) {
    return s;
  }
  const auto sizes = c.known_ints(1);
  Shape out = c.in(0).shape;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const KnownInt size = sizes ? (*sizes)[i] : KnownInt{};
    if (size.is_number() && size.value < 0) {
      return c.fail("size, got " + std::to_string(size.value) + ", wanted 0 or more");
    }
    out[(*axes)[i]] = size.dim();
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const Shape& out = c.out(0).type.shape;
  const Shape strides = row_major_strides(in);
  Walk walk(out);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::int64_t from = 0;
    bool inside = true;
    for (int d = 0; d < in.rank(); ++d) {
      // Of an odd difference the smaller half is in front, cut or padded.
      const std::int64_t shift = out[d] < in[d] ? (in[d] - out[d]) / 2 : -((out[d] - in[d]) / 2);
      const std::int64_t at = walk.at()[d] + shift;
      inside = inside && at >= 0 && at < in[d];
      from += at * strides[d];
    }
    if (inside) {
      copy_elements(c.out(0), i, c.in(0), from);
    } else {
      put_i64(c.out(0), i, 0);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input_data"}, {"shape", kHostRead}};
constexpr Port kOutputs[] = {{"output_data"}};

}  // namespace

extern constinit const OpDef op_center_crop_pad{
    .name = "CenterCropPad",
    .doc = "The middle of the input cut to the given sizes, or padded with zeros on both sides.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<CenterCropPadAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
