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

ValueId rounded_rows(OperatorImport& o, ValueId x, std::size_t w, std::vector<std::int64_t> axes) {
  if (!o.ok() || o.dtype(0) != DType::kF32 || !o.quantized(w)) return x;
  Builder& b = o.builder();
  const ValueId zero = b.number(0);
  const ValueId over = b.ints(axes);
  const ValueId least = b.add("Min", {b.add("ReduceMin", {x, over}), zero});
  const ValueId most = b.add("Max", {b.add("ReduceMax", {x, over}), zero});
  const ValueId range = b.add("Sub", {most, least});
  const ValueId steps = b.add(
      "Where", {b.add("Equal", {range, zero}), b.number(1), b.add("Div", {b.number(255), range})});
  // Zero becomes a whole step, from the end that is hit more closely.
  const ValueId low = b.add("Mul", {least, steps});
  const ValueId high = b.add("Mul", {most, steps});
  const ValueId nearer = b.add("Greater", {b.add("Add", {low, high}), b.number(1)});
  const ValueId point = b.add(
      "Where", {nearer, b.add("Sub", {b.number(-128), low}), b.add("Sub", {b.number(127), high})});
  const ValueId at = b.add("Round", {b.add("Clip", {point, b.number(-128), b.number(127)})});
  const ValueId whole = b.add("Add", {b.add("Round", {b.add("Mul", {x, steps})}), at});
  const ValueId q = b.add("Clip", {whole, b.number(-128), b.number(127)});
  return b.add("Div", {b.add("Sub", {q, at}), steps});
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
