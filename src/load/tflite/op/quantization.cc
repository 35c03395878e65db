// Operators that change how numbers are stored.
#include <algorithm>
#include <cmath>

#include "load/tflite/importer.h"

namespace polaris::tflite {

void dequantize(OperatorImport& o) {
  const bool wide = o.dtype(0) == DType::kI32 && !o.in(0).quantization.scale.empty();
  o.give(0, wide ? o.dequantized(o.raw(0), o.in(0), o.in(0).quantization.axis) : o.real(0));
}

// Integers of 32 bits are no activations, but for the outputs of some models.
void quantize(OperatorImport& o) {
  const auto& q = o.out().quantization;
  if (!o.ok() || o.out_dtype() != DType::kI32 || q.scale.empty()) return o.give(0, o.real(0));
  Builder& b = o.builder();
  const double zero = q.zero_point.empty() ? 0.0 : static_cast<double>(q.zero_point[0]);
  const ValueId steps = b.add("Div", {b.cast(o.real(0), DType::kF64),
                                      b.number(static_cast<double>(q.scale[0]), DType::kF64)});
  const ValueId whole = b.add("Add", {b.add("Round", {steps}), b.number(zero, DType::kF64)});
  o.give_raw(0, b.cast(b.add("Clip", {whole, b.number(INT32_MIN, DType::kF64),
                                      b.number(INT32_MAX, DType::kF64)}),
                       DType::kI32));
}

// Sparse weights are made dense where they are read.
void densify(OperatorImport& o) { o.give_raw(0, o.raw(0)); }

// tensorflow/lite/kernels/internal/reference/reference_ops.h, FakeQuant: zero is moved to a whole
// step first.
void fake_quant(OperatorImport& o) {
  const double low = static_cast<double>(o.float_option(0));
  const double high = static_cast<double>(o.float_option(1));
  const std::int64_t bits = o.option(2);
  if (!(low <= 0 && high >= 0 && low < high) || bits < 2 || bits > 16) {
    return o.fail("range, got " + std::to_string(low) + " to " + std::to_string(high) + " in " +
                  std::to_string(bits) + " bits");
  }
  const double lowest = o.flag(3) ? 1 : 0;
  const double highest = std::ldexp(1.0, static_cast<int>(bits)) - 1;
  const double scale = (high - low) / (highest - lowest);
  const double zero = std::clamp(std::round(lowest - low / scale), lowest, highest);
  const double first = (lowest - zero) * scale;
  Builder& b = o.builder();
  ValueId x = o.add("Clip", {o.real(0), b.number(first), b.number((highest - zero) * scale)});
  x = o.add("Div", {o.add("Sub", {x, b.number(first)}), b.number(scale)});
  x = o.add("Floor", {o.add("Add", {x, b.number(0.5)})});
  o.give(0, o.add("Add", {o.add("Mul", {x, b.number(scale)}), b.number(first)}));
}

}  // namespace polaris::tflite
