#include "base/strings.h"
#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<TensorScatterAttrs>();
  if (attrs.mode != "linear" && attrs.mode != "circular") {
    return c.fail("mode, got '" + printable(attrs.mode) + "', wanted linear or circular");
  }
  const Shape& cache = c.in(0).shape;
  if (auto s = all_of(check_rank(c, 0, 2), check_same_dtype(c, 0, 1),
                      check_rank(c, 1, cache.rank(), cache.rank()),
                      check_dtype(c, 2, dtype_set(DType::kI64)), check_rank(c, 2, 1, 1));
      !s) {
    return s;
  }
  const auto axis = check_axis(c, attrs.axis, cache.rank());
  if (!axis) return axis.error();
  if (*axis == 0) return c.fail("axis, got that of the batch, wanted another");
  const Shape& update = c.in(1).shape;
  for (int d = 0; d < cache.rank(); ++d) {
    const std::string what = "dim " + std::to_string(d) + " of update";
    if (d == *axis && is_static_dim(update[d]) && is_static_dim(cache[d]) && update[d] > cache[d]) {
      return c.fail(what + ", got " + dim_text(update[d]) + ", wanted at most " +
                    dim_text(cache[d]));
    }
    if (d == *axis) continue;
    if (auto s = check_dims(c, what, update[d], cache[d]); !s) return s;
  }
  if (c.has(2)) {
    if (auto s = check_dims(c, "number of write_indices", c.in(2).shape[0], cache[0]); !s) return s;
  }
  set_output(c, 0, c.in(0).dtype, cache);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<TensorScatterAttrs>();
  const Shape& cache = c.in(0).type.shape;
  const int axis = *normalize_axis(attrs.axis, cache.rank());
  const AxisSplit to = split_at(cache, axis);
  const AxisSplit from = split_at(c.in(1).type.shape, axis);
  copy_elements(c.out(0), 0, c.in(0), 0, cache.elements());
  if (c.in(1).type.shape.elements() == 0) return Status::success();
  const std::int64_t each = cache.elements_between(1, axis);  // lines of one of the batch
  for (std::int64_t outer = 0; outer < from.outer; ++outer) {
    const std::int64_t start = c.has(2) ? get_i64(c.in(2), outer / each) : 0;
    const std::int64_t last = attrs.mode == "circular" ? to.size - 1 : to.size - from.size;
    if (from.size > 0 && (start < 0 || start > last)) {
      return c.fail("write_indices, got " + std::to_string(start) + ", wanted 0 to " +
                    std::to_string(last));
    }
    for (std::int64_t k = 0; k < from.size; ++k) {
      const std::int64_t at = (start + k) % to.size;
      copy_elements(c.out(0), (outer * to.size + at) * to.inner, c.in(1),
                    (outer * from.size + k) * from.inner, from.inner);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"past_cache"}, {"update"}, {"write_indices", kOptional}};
constexpr Port kOutputs[] = {{"present_cache"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_tensor_scatter{
    .name = "TensorScatter",
    .doc =
        "A cache with the update written along an axis from each sequence's index on, around its "
        "end where the mode is circular.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TensorScatterAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
