#include "ir/op_attrs/gather.h"
#include "ir/op_util/scatter.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& data = c.in(0).shape;
  const Shape& indices = c.in(1).shape;
  if (auto s =
          all_of(check_dtype(c, 1, kIndexTypes), check_same_dtype(c, 0, 2), check_rank(c, 0, 1),
                 check_rank(c, 1, 1), check_reduction(c, c.as<ScatterNdAttrs>().reduction));
      !s) {
    return s;
  }
  const std::int64_t depth = indices.back();
  if (!is_static_dim(depth)) {
    set_output(c, 0, c.in(0).dtype, data);
    return Status::success();
  }
  if (depth < 1 || depth > data.rank()) {
    return c.fail("last dim of indices, got " + std::to_string(depth) + ", wanted 1 to " +
                  std::to_string(data.rank()));
  }
  const int lead = indices.rank() - 1;
  const int rank = lead + data.rank() - static_cast<int>(depth);
  if (auto s = check_rank(c, 2, rank, rank); !s) return s;
  for (int i = 0; i < rank; ++i) {
    const std::int64_t wanted = i < lead ? indices[i] : data[i - lead + static_cast<int>(depth)];
    if (auto s = check_dims(c, "dim of updates", c.in(2).shape[i], wanted); !s) return s;
  }
  set_output(c, 0, c.in(0).dtype, data);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& data = c.in(0).type.shape;
  const Shape& indices = c.in(1).type.shape;
  const int depth = static_cast<int>(indices.back());
  const Shape strides = row_major_strides(data);
  const std::int64_t slice = data.elements_between(depth, data.rank());
  const std::int64_t tuples = indices.elements_between(0, indices.rank() - 1);
  copy_elements(c.out(0), 0, c.in(0), 0, data.elements());
  for (std::int64_t t = 0; t < tuples; ++t) {
    std::int64_t to = 0;
    for (int d = 0; d < depth; ++d) {
      std::int64_t index = get_i64(c.in(1), t * depth + d);
      if (index < 0) index += data[d];
      if (index < 0 || index >= data[d]) {
        return c.fail("index, got " + std::to_string(get_i64(c.in(1), t * depth + d)) +
                      ", wanted one below " + std::to_string(data[d]));
      }
      to += index * strides[d];
    }
    for (std::int64_t i = 0; i < slice; ++i) {
      scatter_element(c.out(0), to + i, c.in(2), t * slice + i, c.as<ScatterNdAttrs>().reduction);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"indices"}, {"updates"}};
constexpr Port kOutputs[] = {{"output"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_scatter_nd{
    .name = "ScatterND",
    .doc =
        "data with slices at index tuples replaced, or reduced with updates, in index order; NaN "
        "wins "
        "max and min.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ScatterNdAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
