#include "ir/op_attrs/gather.h"
#include "ir/op_util/scatter.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<ScatterElementsAttrs>();
  const Shape& data = c.in(0).shape;
  const int rank = data.rank();
  if (auto s = all_of(check_dtype(c, 1, kIndexTypes), check_same_dtype(c, 0, 2),
                      check_rank(c, 0, 1), check_rank(c, 1, rank, rank),
                      check_rank(c, 2, rank, rank), check_reduction(c, attrs.reduction));
      !s) {
    return s;
  }
  auto axis = check_axis(c, attrs.axis, rank);
  if (!axis) return axis.error();
  const Shape& indices = c.in(1).shape;
  for (int i = 0; i < rank; ++i) {
    if (auto s = check_dims(c, "dim of updates", c.in(2).shape[i], indices[i]); !s) return s;
    if (i == *axis || !is_static_dim(indices[i]) || !is_static_dim(data[i])) continue;
    if (indices[i] > data[i]) {
      return c.fail("indices shape, got " + indices.to_string() + ", wanted one within " +
                    data.to_string());
    }
  }
  set_output(c, 0, c.in(0).dtype, data);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<ScatterElementsAttrs>();
  const Shape& data = c.in(0).type.shape;
  const int axis = *normalize_axis(attrs.axis, data.rank());
  copy_elements(c.out(0), 0, c.in(0), 0, data.elements());
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
    scatter_element(c.out(0), walk[base] + index * strides[axis], c.in(2), i, attrs.reduction);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"indices"}, {"updates"}};
constexpr Port kOutputs[] = {{"output"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_scatter_elements{
    .name = "ScatterElements",
    .doc =
        "data with elements replaced, or reduced with updates, in index order; NaN wins max and "
        "min.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ScatterElementsAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
