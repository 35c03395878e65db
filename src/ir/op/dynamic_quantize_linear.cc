#include <algorithm>

#include "ir/op_util/elements.h"
#include "ir/op_util/quantize.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, dtype_set(DType::kF32)); !s) return s;
  set_output(c, 0, DType::kU8, c.in(0).shape);
  set_output(c, 1, DType::kF32, Shape{});
  set_output(c, 2, DType::kU8, Shape{});
  return Status::success();
}

Status reference(RefContext& c) {
  const std::int64_t n = c.in(0).type.shape.elements();
  float low = 0;
  float high = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<float>(get_f64(c.in(0), i));
    low = std::min(low, x);
    high = std::max(high, x);
  }
  const float scale = high > low ? (high - low) / 255.0f : 1.0f;
  const QuantRange range = quant_range(DType::kU8);
  const std::int32_t zero = quantize_value((0.0f - low) / scale, 0, range);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<float>(get_f64(c.in(0), i));
    put_i64(c.out(0), i, quantize_value(x / scale, zero, range));
  }
  put_f64(c.out(1), 0, static_cast<double>(scale));
  put_i64(c.out(2), 0, zero);
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 4 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"x"}};
constexpr Port kOutputs[] = {{"y"}, {"y_scale"}, {"y_zero_point"}};

}  // namespace

extern constinit const OpDef op_dynamic_quantize_linear{
    .name = "DynamicQuantizeLinear",
    .doc =
        "Quantizes to uint8 by the range of x and zero; gives the scale and zero point too. NaN is "
        "left out of the range and becomes the zero point.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kAxisFree,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
