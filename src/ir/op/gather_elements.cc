#include "ir/op_attrs/gather.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/traffic.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& data = c.in(0).shape;
  const Shape& indices = c.in(1).shape;
  if (auto s = all_of(check_dtype(c, 1, kIndexTypes), check_rank(c, 0, 1),
                      check_rank(c, 1, data.rank(), data.rank()));
      !s) {
    return s;
  }
  auto axis = check_axis(c, c.as<GatherAttrs>().axis, data.rank());
  if (!axis) return axis.error();
  for (int i = 0; i < data.rank(); ++i) {
    if (i == *axis || !is_static_dim(indices[i]) || !is_static_dim(data[i])) continue;
    if (indices[i] > data[i]) {
      return c.fail("indices shape, got " + indices.to_string() + ", wanted one within " +
                    data.to_string());
    }
  }
  set_output(c, 0, c.in(0).dtype, indices);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& data = c.in(0).type.shape;
  const int axis = *normalize_axis(c.as<GatherAttrs>().axis, data.rank());
  const Shape strides = row_major_strides(data);
  Shape others = strides;
  others[axis] = 0;
  Walk walk(c.in(1).type.shape);
  const int base = walk.add(others);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::int64_t index = get_i64(c.in(1), i);
    if (index < 0) index += data[axis];
    if (index < 0 || index >= data[axis]) {
      return c.fail("index, got " + std::to_string(get_i64(c.in(1), i)) + ", wanted one below " +
                    std::to_string(data[axis]));
    }
    copy_elements(c.out(0), i, c.in(0), walk[base] + index * strides[axis]);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"indices"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_gather_elements{
    .name = "GatherElements",
    .doc = "Elements of data whose position along an axis is given by indices.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<GatherAttrs>,
    .infer = infer,
    .reference = reference,
    .bytes = gathered_bytes,
};

}  // namespace polaris
