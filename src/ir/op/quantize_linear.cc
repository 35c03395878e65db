#include "ir/op_attrs/quantize.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/quantize.h"

namespace polaris {
namespace {

constexpr DTypeSet kInputTypes = kFloatTypes | dtype_set(DType::kI32);
constexpr DTypeSet kScaleTypes = kFloatTypes | dtype_set(DType::kF8E8M0);
constexpr DTypeSet kQuantized = dtype_set(DType::kI8, DType::kU8, DType::kI16, DType::kU16) |
                                kSmallIntegerTypes | kSmallFloatTypes;

Status infer(InferContext& c) {
  const auto& attrs = c.as<QuantizeLinearAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kInputTypes), check_dtype(c, 1, kScaleTypes),
                      check_dtype(c, 2, kQuantized),
                      check_scales(c, 1, 2, attrs.axis, attrs.block_size));
      !s) {
    return s;
  }
  const DType out = c.has(2) ? c.in(2).dtype : attrs.output_dtype;
  if (!contains(kQuantized, out)) {
    return c.fail("output_dtype, got " + std::string(dtype_name(out)) +
                  ", wanted an integer of at most 16 bits or a float of at most 8");
  }
  set_output(c, 0, out, c.in(0).shape);
  return Status::success();
}

/// x / y_scale + y_zero_point, the quotient in float32.
Status reference_float(RefContext& c) {
  const auto& attrs = c.as<QuantizeLinearAttrs>();
  const ScaleIndex scale_of(c.in(0).type.shape, c.in(1).type.shape, attrs.axis, attrs.block_size);
  const SmallRounding rounding{attrs.saturate};
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    const std::int64_t at = scale_of(i);
    const auto x = static_cast<float>(get_f64(c.in(0), i));
    const auto scale = static_cast<float>(get_f64(c.in(1), at));
    const double zero = c.has(2) ? get_f64(c.in(2), at) : 0.0;
    store_f64(c.out(0).type.dtype, c.out(0).data, i, static_cast<double>(x / scale) + zero,
              rounding);
  }
  return Status::success();
}

Status reference(RefContext& c) {
  if (is_float(c.out(0).type.dtype)) return reference_float(c);
  const auto& attrs = c.as<QuantizeLinearAttrs>();
  const ScaleIndex scale_of(c.in(0).type.shape, c.in(1).type.shape, attrs.axis, attrs.block_size);
  const QuantRange range = quant_range(c.out(0).type.dtype);
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    const std::int64_t at = scale_of(i);
    const auto x = static_cast<float>(get_f64(c.in(0), i));
    const auto scale = static_cast<float>(get_f64(c.in(1), at));
    const auto zero = c.has(2) ? static_cast<std::int32_t>(get_i64(c.in(2), at)) : 0;
    put_i64(c.out(0), i, quantize_value(x / scale, zero, range));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 2 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"x"}, {"y_scale"}, {"y_zero_point", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_quantize_linear{
    .name = "QuantizeLinear",
    .doc =
        "saturate(round half to even(x / y_scale) + y_zero_point), the division in float32; one "
        "scale, one per index of an axis, or one per block; a quotient of NaN counts as 0. A float "
        "type has no rounding to integers, and `saturate` is as in Cast.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kAxisFree,
    .make_attrs = make_attrs<QuantizeLinearAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
