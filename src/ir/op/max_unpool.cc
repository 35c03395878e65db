#include "base/checked.h"
#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// The output's size along spatial dim i where the pool's window was as the attributes say.
std::int64_t unpooled(const MaxUnpoolAttrs& attrs, std::int64_t in, std::size_t i) {
  if (!is_static_dim(in)) return kUnknownDim;
  const std::size_t n = attrs.kernel_shape.size();
  const std::int64_t stride = attrs.strides.empty() ? 1 : attrs.strides[i];
  const std::int64_t pads = attrs.pads.empty() ? 0 : attrs.pads[i] + attrs.pads[n + i];
  const auto steps = checked_mul(in - 1, stride);
  const auto size = steps ? checked_add(*steps, attrs.kernel_shape[i] - pads) : std::nullopt;
  return size.value_or(-1);
}

/// The shape that the indices count in. Errors: invalid.
Result<Shape> unpooled_shape(const InferContext& c) {
  const auto& attrs = c.as<MaxUnpoolAttrs>();
  Shape out = c.in(0).shape;
  const auto spatial = static_cast<std::size_t>(out.rank() - 2);
  if (attrs.kernel_shape.empty()) return c.fail("kernel_shape is missing");
  if (auto s = all_of(check_list("kernel_shape", attrs.kernel_shape, spatial, 1),
                      check_list("strides", attrs.strides, spatial, 1),
                      check_list("pads", attrs.pads, 2 * spatial, 0));
      !s) {
    return c.fail(s.error().message());
  }
  for (int d = 2; d < out.rank(); ++d) {
    const std::int64_t size = unpooled(attrs, out[d], static_cast<std::size_t>(d) - 2);
    if (size < 0 && size != kUnknownDim) {
      return c.fail("size of dim " + std::to_string(d) + ", got one that is negative or too large");
    }
    out[d] = size;
  }
  return out;
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 3),
                      check_dtype(c, 1, dtype_set(DType::kI64)),
                      check_rank(c, 1, c.in(0).shape.rank(), c.in(0).shape.rank()),
                      check_dtype(c, 2, dtype_set(DType::kI64)), check_rank(c, 2, 1, 1));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  for (int d = 0; d < x.rank(); ++d) {
    const std::string what = "dim " + std::to_string(d) + " of I";
    if (auto s = check_dims(c, what, c.in(1).shape[d], x[d]); !s) return s;
  }
  const auto shape = unpooled_shape(c);
  if (!shape) return shape.error();
  Shape out = *shape;
  if (c.has(2)) {
    if (auto s = check_dims(c, "number of output_shape", c.in(2).shape[0], x.rank()); !s) return s;
    const auto wanted = c.known_ints(2);
    for (int d = 0; d < x.rank(); ++d) {
      out[d] = wanted ? (*wanted)[static_cast<std::size_t>(d)].dim() : kUnknownDim;
      const bool number = wanted && (*wanted)[static_cast<std::size_t>(d)].is_number();
      if (number && (!is_static_dim(out[d]) || out[d] < (*shape)[d])) {
        return c.fail("output_shape, got " +
                      std::to_string((*wanted)[static_cast<std::size_t>(d)].value) +
                      ", wanted at least " + dim_text((*shape)[d]));
      }
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// As in unpooled_shape, which has checked it.
Shape counted_shape(const RefContext& c) {
  Shape out = c.in(0).type.shape;
  for (int d = 2; d < out.rank(); ++d) {
    out[d] = unpooled(c.as<MaxUnpoolAttrs>(), out[d], static_cast<std::size_t>(d) - 2);
  }
  return out;
}

Status reference(RefContext& c) {
  const Shape inner = counted_shape(c);
  const Shape& outer = c.out(0).type.shape;
  const Shape strides = row_major_strides(outer);
  const auto total = inner.checked_elements();
  if (!total) return c.fail("size, got " + inner.to_string() + ", which is too large");
  for (std::int64_t i = 0, n = outer.elements(); i < n; ++i) put_i64(c.out(0), i, 0);
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    std::int64_t at = get_i64(c.in(1), i);
    if (at < 0 || at >= *total) {
      return c.fail("index, got " + std::to_string(at) + ", wanted 0 to " +
                    std::to_string(*total - 1));
    }
    std::int64_t to = 0;
    for (int d = inner.rank() - 1; d >= 0; --d) {
      to += at % inner[d] * strides[d];
      at /= inner[d];
    }
    copy_elements(c.out(0), to, c.in(0), i);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}, {"I"}, {"output_shape", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_max_unpool{
    .name = "MaxUnpool",
    .doc =
        "Zeros with the elements of X where MaxPool had them from, by its indices; a larger "
        "output_shape adds zeros behind each dim.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<MaxUnpoolAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
