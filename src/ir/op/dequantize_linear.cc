#include "ir/op_attrs/quantize.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/quantize.h"

namespace polaris {
namespace {

constexpr DTypeSet kQuantized =
    dtype_set(DType::kI8, DType::kU8, DType::kI16, DType::kU16, DType::kI32) | kSmallIntegerTypes |
    kSmallFloatTypes;
constexpr DTypeSet kScaleTypes = kFloatTypes | dtype_set(DType::kF8E8M0);

Status infer(InferContext& c) {
  const auto& attrs = c.as<DequantizeLinearAttrs>();
  if (auto s =
          all_of(check_dtype(c, 0, kQuantized), check_dtype(c, 1, kScaleTypes),
                 check_same_dtype(c, 0, 2), check_scales(c, 1, 2, attrs.axis, attrs.block_size));
      !s) {
    return s;
  }
  const bool by_scale = attrs.output_dtype == DType::kBool;
  const DType out = by_scale ? c.in(1).dtype : attrs.output_dtype;
  if (!contains(kFloatTypes, out)) {
    return c.fail("output_dtype, got " + std::string(dtype_name(out)) +
                  ", wanted a float type of 16 bits or more");
  }
  set_output(c, 0, out, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<DequantizeLinearAttrs>();
  const ScaleIndex scale_of(c.in(0).type.shape, c.in(1).type.shape, attrs.axis, attrs.block_size);
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    const std::int64_t at = scale_of(i);
    // No quantized type has integers that a double cannot hold.
    const double q = get_f64(c.in(0), i) - (c.has(2) ? get_f64(c.in(2), at) : 0.0);
    put_f64(c.out(0), i, q * get_f64(c.in(1), at));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 2 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"x"}, {"x_scale"}, {"x_zero_point", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_dequantize_linear{
    .name = "DequantizeLinear",
    .doc = "(x - x_zero_point) * x_scale; one scale, one per index of an axis, or one per block.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kAxisFree,
    .make_attrs = make_attrs<DequantizeLinearAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
