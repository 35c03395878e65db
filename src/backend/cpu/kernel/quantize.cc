// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear and polaris.Decode.
#include <algorithm>
#include <memory>

#include "backend/cpu/convert.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/requantize.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weights.h"
#include "ir/op_attrs/quantize.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// Runs of elements that share one scale: `outer` repeats of `scales` runs of `inner` elements.
struct ScaleRuns {
  std::int64_t scales = 1;
  std::int64_t inner = 1;
  std::int64_t rows = 1;  // outer * scales
};

/// Nothing for blocked scales.
std::optional<ScaleRuns> scale_runs(const Shape& x, const Shape& scale, std::int64_t axis,
                                    std::int64_t block) {
  if (block != 0) return std::nullopt;
  if (scale.rank() == 0 || (scale.rank() == 1 && scale[0] == 1)) {
    // One scale: any cut will do.
    const std::int64_t n = x.elements();
    const std::int64_t inner = std::max<std::int64_t>(1, std::min<std::int64_t>(n, 1 << 14));
    return ScaleRuns{1, n % inner == 0 ? inner : std::max<std::int64_t>(n, 1),
                     n == 0 ? 0 : (n % inner == 0 ? n / inner : 1)};
  }
  const auto at = normalize_axis(axis, x.rank());
  if (!at) return std::nullopt;
  ScaleRuns out;
  out.scales = x[*at];
  out.inner = x.elements_between(*at + 1, x.rank());
  out.rows = x.elements_between(0, *at + 1);
  return out;
}

template <class T>
KernelResult quantize_kernel(const ScaleRuns& runs, DType dtype) {
  const QuantRange range = quant_range(dtype);
  return KernelResult(
      make_kernel("quantize_" + std::string(dtype_name(dtype)), [runs, range](const Launch& l) {
        parallel_rows(*l.pool, runs.rows, runs.inner, [&](std::int64_t from, std::int64_t to, int) {
          for (std::int64_t r = from; r < to; ++r) {
            const std::int64_t s = r % runs.scales;
            const float scale = l.in<float>(1)[s];
            const std::int32_t zero = l.in<T>(2) != nullptr ? l.in<T>(2)[s] : 0;
            const float* x = l.in<float>(0) + r * runs.inner;
            T* y = l.out<T>(0) + r * runs.inner;
            for (std::int64_t i = 0; i < runs.inner; ++i) {
              y[i] = static_cast<T>(quantize_fast(x[i] / scale, zero, range));
            }
          }
        });
      }));
}

KernelResult select_quantize(const NodeDesc& node) {
  const auto& attrs = node.attributes<QuantizeLinearAttrs>();
  const auto runs = scale_runs(node.inputs[0].type.shape, node.inputs[1].type.shape, attrs.axis,
                               attrs.block_size);
  if (!runs || node.inputs[0].type.dtype != DType::kF32 ||
      node.inputs[1].type.dtype != DType::kF32) {
    return unsupported(node, "blocked scales or operands that are not float32");
  }
  switch (node.outputs[0].type.dtype) {
    case DType::kI8: return quantize_kernel<std::int8_t>(*runs, DType::kI8);
    case DType::kU8: return quantize_kernel<std::uint8_t>(*runs, DType::kU8);
    case DType::kI16: return quantize_kernel<std::int16_t>(*runs, DType::kI16);
    case DType::kU16: return quantize_kernel<std::uint16_t>(*runs, DType::kU16);
    default: return unsupported(node, "this quantized type");
  }
}

template <class T>
void dequantize_run(const Simd& simd, const T* x, T zero, float scale, float* y, std::int64_t n) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    simd.widen_u8(x, scale, static_cast<float>(zero), y, n);
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    simd.widen_i8(x, scale, static_cast<float>(zero), y, n);
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t q = std::int64_t{x[i]} - std::int64_t{zero};
      y[i] = static_cast<float>(static_cast<double>(q) * static_cast<double>(scale));
    }
  }
}

template <class T>
KernelResult dequantize_kernel(const CpuTarget& target, const ScaleRuns& runs) {
  return KernelResult(make_kernel("dequantize", [runs, simd = target.simd](const Launch& l) {
    parallel_rows(*l.pool, runs.rows, runs.inner, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t s = r % runs.scales;
        dequantize_run(*simd, l.in<T>(0) + r * runs.inner,
                       l.in<T>(2) != nullptr ? l.in<T>(2)[s] : T{0}, l.in<float>(1)[s],
                       l.out<float>(0) + r * runs.inner, runs.inner);
      }
    });
  }));
}

KernelResult select_dequantize(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<DequantizeLinearAttrs>();
  const auto runs = scale_runs(node.inputs[0].type.shape, node.inputs[1].type.shape, attrs.axis,
                               attrs.block_size);
  if (!runs || node.outputs[0].type.dtype != DType::kF32 ||
      node.inputs[1].type.dtype != DType::kF32) {
    return unsupported(node, "blocked scales or an output that is not float32");
  }
  switch (node.inputs[0].type.dtype) {
    case DType::kI8: return dequantize_kernel<std::int8_t>(target, *runs);
    case DType::kU8: return dequantize_kernel<std::uint8_t>(target, *runs);
    case DType::kI16: return dequantize_kernel<std::int16_t>(target, *runs);
    case DType::kU16: return dequantize_kernel<std::uint16_t>(target, *runs);
    case DType::kI32: return dequantize_kernel<std::int32_t>(target, *runs);
    default: return unsupported(node, "this quantized type");
  }
}

KernelResult select_dynamic(const NodeDesc& node) {
  if (node.inputs[0].type.dtype != DType::kF32) return unsupported(node, "x is not float32");
  const std::int64_t n = node.inputs[0].type.shape.elements();
  return KernelResult(make_kernel("dynamic_quantize", [n](const Launch& l) {
    const float* x = l.in<float>(0);
    float low = 0;
    float high = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      low = x[i] < low ? x[i] : low;
      high = x[i] > high ? x[i] : high;
    }
    const QuantRange range = quant_range(DType::kU8);
    const float scale = high > low ? (high - low) / 255.0f : 1.0f;
    const std::int32_t zero = quantize_fast((0.0f - low) / scale, 0, range);
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t i = from; i < to; ++i) {
        l.out<std::uint8_t>(0)[i] =
            static_cast<std::uint8_t>(quantize_fast(x[i] / scale, zero, range));
      }
    });
    if (l.outputs[1] != nullptr) *l.out<float>(1) = scale;
    if (l.outputs[2] != nullptr) *l.out<std::uint8_t>(2) = static_cast<std::uint8_t>(zero);
  }));
}

KernelResult select_decode(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& type = node.inputs[0].type;
  if (node.outputs[0].type.dtype != DType::kF32)
    return unsupported(node, "decodes to float32 only");
  const std::int64_t n = type.shape.elements();
  if (type.encoding.is_block()) {
    const BlockFormatInfo& info = block_format_info(type.encoding.format);
    const Simd::DecodeFn decode = target.simd->block_decoder(type.encoding.format);
    return KernelResult(make_kernel(
        "decode_" + std::string(info.name),
        [decode, blocks = n / info.block_elements, bytes = info.block_bytes,
         size = info.block_elements](const Launch& l) {
          parallel_rows(*l.pool, blocks, size, [&](std::int64_t from, std::int64_t to, int) {
            decode(l.inputs[0] + from * bytes, l.out<float>(0) + from * size, (to - from) * size);
          });
        }));
  }
  if (node.inputs[0].constant == nullptr) return unsupported(node, "not a constant");
  auto kept = std::make_shared<const Constant>(*node.inputs[0].constant);
  auto kernel = make_kernel("decode_affine", [kept, n](const Launch& l) {
    parallel_rows(*l.pool, n, 1, [&](std::int64_t from, std::int64_t to, int) {
      decode_constant(*kept, from, to - from, l.out<float>(0) + from);
    });
  });
  kernel->absorb(0);
  return KernelResult(std::move(kernel));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (node.op->name == "QuantizeLinear") return select_quantize(node);
  if (node.op->name == "DequantizeLinear") return select_dequantize(target, node);
  if (node.op->name == "DynamicQuantizeLinear") return select_dynamic(node);
  return select_decode(target, node);
}

constexpr std::string_view kOps[] = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                     "polaris.Decode"};

}  // namespace

extern const KernelFamily family_quantize;
constinit const KernelFamily family_quantize{"quantize", kOps, one_kernel<select>};

}  // namespace polaris::cpu
