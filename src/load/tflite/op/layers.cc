#include "load/tflite/op/layers.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tensor/element.h"

namespace polaris::tflite {

ValueId weight(OperatorImport& o, std::size_t i, std::vector<std::int64_t> perm) {
  Builder& b = o.builder();
  const TensorDef& tensor = o.in(i);
  const ValueId stored = o.raw(i);
  std::vector<std::int64_t> same(perm.size());
  std::iota(same.begin(), same.end(), 0);
  const auto axis =
      std::find(perm.begin(), perm.end(), std::int64_t{tensor.quantization.axis}) - perm.begin();
  const ValueId turned = perm == same ? stored : b.transpose(stored, std::move(perm));
  if (OperatorImport::is_quantized(tensor)) return o.dequantized(turned, tensor, axis);
  const DType dtype = o.dtype(i);
  const bool half = dtype == DType::kF16 || dtype == DType::kBF16;
  return half && o.out_dtype() == DType::kF32 ? b.cast(turned, DType::kF32) : turned;
}

ValueId bias(OperatorImport& o, std::size_t i, std::size_t x, std::size_t w) {
  if (!o.has(i)) return kNoValue;
  const ValueId stored = o.raw(i);
  const DType dtype = o.dtype(i);
  if (is_float(dtype)) return o.real(i);
  const auto& x_scale = o.in(x).quantization.scale;
  const auto& w_scale = o.in(w).quantization.scale;
  if (!o.ok() || x_scale.empty() || w_scale.empty()) {
    o.fail("bias of integers, wanted scales of its operands");
    return kNoValue;
  }
  Builder& b = o.builder();
  std::vector<double> scale;
  for (const float s : w_scale) {
    scale.push_back(static_cast<double>(x_scale[0]) * static_cast<double>(s));
  }
  const auto count = static_cast<std::int64_t>(scale.size());
  const Shape shape = count == 1 ? Shape{} : Shape{count};
  if (dtype == DType::kI32) {
    const auto axis = std::int64_t{0};
    return b.add("DequantizeLinear", {stored, b.numbers(scale, DType::kF32, shape)},
                 {{"axis", axis}});
  }
  return b.cast(b.add("Mul", {b.cast(stored, DType::kF64), b.numbers(scale, DType::kF64, shape)}),
                DType::kF32);
}

std::string_view auto_pad(OperatorImport& o) {
  const std::int64_t padding = o.byte_option(0);
  if (padding != 0 && padding != 1) o.fail("padding, got " + std::to_string(padding));
  return padding == 0 ? "SAME_UPPER" : "VALID";
}

ValueId channels_second(OperatorImport& o, ValueId value, int rank) {
  std::vector<std::int64_t> perm{0, rank - 1};
  for (int i = 1; i < rank - 1; ++i) perm.push_back(i);
  return o.builder().transpose(value, std::move(perm));
}

ValueId channels_last(OperatorImport& o, ValueId value, int rank) {
  std::vector<std::int64_t> perm{0};
  for (int i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(1);
  return o.builder().transpose(value, std::move(perm));
}

// Of real numbers the activation goes right behind what makes them, where passes look for it.
void give_channels_second(OperatorImport& o, ValueId value, int rank, std::int64_t activation) {
  if (o.quantized_out()) return o.give_activated(channels_last(o, value, rank), activation);
  o.give(0, channels_last(o, o.activated(value, activation), rank));
}

}  // namespace polaris::tflite
