// polaris.Linear: y = x @ w^T + bias with plain, affine and block-encoded weights.
#include <algorithm>
#include <vector>

#include "backend/cpu/convert.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/quant_gemm.h"
#include "backend/cpu/weights.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

struct LinearShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  DType dtype = DType::kF32;  // of x and y
  bool x_plain() const { return dtype == DType::kF32; }
  std::int64_t x_bytes() const { return x_plain() ? 0 : round_up(m * k * 4, 64); }
  std::int64_t y_bytes() const { return x_plain() ? 0 : round_up(m * n * 4, 64); }
};

/// x and y as float32: the operands themselves, or copies in the workspace.
struct FloatOperands {
  const float* x;
  float* y;
  std::byte* rest;
};
FloatOperands open_operands(const LinearShape& s, const Simd& simd, const Launch& l) {
  if (s.x_plain()) return {l.in<float>(0), l.out<float>(0), l.workspace};
  auto* x = reinterpret_cast<float*>(l.workspace);
  widen_all(simd, *l.pool, s.dtype, l.inputs[0], s.m * s.k, x);
  return {x, reinterpret_cast<float*>(l.workspace + s.x_bytes()),
          l.workspace + s.x_bytes() + s.y_bytes()};
}
void close_operands(const LinearShape& s, const Simd& simd, const Launch& l, const float* y) {
  if (!s.x_plain()) narrow_all(simd, *l.pool, s.dtype, y, s.m * s.n, l.outputs[0]);
}

Status pack_f32(const Constant& weight, std::span<std::byte> out) {
  const std::int64_t n = weight.data.shape()[0];
  const std::int64_t k = weight.data.shape()[1];
  std::vector<float> rows(static_cast<std::size_t>(kPanel * k));
  auto* to = reinterpret_cast<float*>(out.data());
  for (std::int64_t p = 0; p * kPanel < n; ++p) {
    const std::int64_t count = std::min<std::int64_t>(kPanel, n - p * kPanel);
    decode_constant(weight, p * kPanel * k, count * k, rows.data());
    pack_panels({rows.data(), 1, k}, k, count, 0, 1, to + p * k * kPanel);
  }
  return Status::success();
}

Status pack_f16(const Constant& weight, std::span<std::byte> out) {
  const std::int64_t n = weight.data.shape()[0];
  const std::int64_t k = weight.data.shape()[1];
  const auto* from = weight.data.data<std::uint16_t>();
  auto* to = reinterpret_cast<std::uint16_t*>(out.data());
  for (std::int64_t p = 0; p * kPanel < n; ++p) {
    for (std::int64_t i0 = 0; i0 < k; i0 += 32) {
      for (std::int64_t c = 0; c < kPanel; ++c) {
        const bool real = p * kPanel + c < n;
        const std::uint16_t* row = from + (p * kPanel + c) * k;
        for (std::int64_t i = i0; i < std::min(k, i0 + 32); ++i) {
          to[(p * k + i) * kPanel + c] = real ? row[i] : std::uint16_t{0};
        }
      }
    }
  }
  return Status::success();
}

std::shared_ptr<CpuKernel> float_kernel(const CpuTarget& target, const LinearShape& s,
                                        const OperandDesc& w) {
  const bool half =
      w.constant != nullptr && w.type.encoding.is_plain() && w.type.dtype == DType::kF16;
  const bool packed = w.constant != nullptr;
  const Simd* simd = target.simd;
  const DType w_dtype = w.type.dtype;
  auto kernel = make_kernel(
      std::string("linear_") + (half ? "f16" : "f32"),
      [s, simd, half, packed, w_dtype](const Launch& l) {
        FloatOperands f = open_operands(s, *simd, l);
        GemmCall call{f.x, s.k, l.inputs[1], half,           f.y,    s.n,
                      s.m, s.k, s.n,         l.in<float>(2), nullptr};
        call.scratch = reinterpret_cast<float*>(f.rest);
        if (!packed) {
          auto* plain = call.scratch + s.m * s.k;
          float* panels = plain + (w_dtype == DType::kF32 ? 0 : s.n * s.k);
          const float* weight = l.in<float>(1);
          if (w_dtype != DType::kF32) {
            widen_all(*simd, *l.pool, w_dtype, l.inputs[1], s.n * s.k, plain);
            weight = plain;
          }
          l.pool->parallel_for(packed_panels(s.n), 4, [&](std::int64_t from, std::int64_t to, int) {
            pack_panels({weight, 1, s.k}, s.k, s.n, from, to, panels);
          });
          call.b = panels;
        }
        gemm(*simd, *l.pool, call);
        close_operands(s, *simd, l, f.y);
      });
  std::int64_t workspace = s.x_bytes() + s.y_bytes() + s.m * s.k * 4;
  if (packed) {
    kernel->set_packing(1, half ? "f16_p16" : "f32_p16", packed_elements(s.k, s.n) * (half ? 2 : 4),
                        half ? pack_f16 : pack_f32);
    if (s.m == 1) workspace = s.x_bytes() + s.y_bytes();
  } else {
    workspace += packed_elements(s.k, s.n) * 4 + (w_dtype == DType::kF32 ? 0 : s.n * s.k * 4);
  }
  kernel->set_workspace(workspace);
  return kernel;
}

std::shared_ptr<CpuKernel> block_kernel(const CpuTarget& target, const LinearShape& s,
                                        BlockFormat format) {
  const Simd* simd = target.simd;
  const QuantSimd* quant = target.quant;
  const std::string format_name(block_format_info(format).name);
  auto kernel = make_kernel("linear_" + format_name, [s, simd, quant, format](const Launch& l) {
    FloatOperands f = open_operands(s, *simd, l);
    quant_gemm(*simd, *quant, *l.pool,
               {f.x, l.inputs[1], format, f.y, s.m, s.k, s.n, l.in<float>(2), f.rest});
    close_operands(s, *simd, l, f.y);
  });
  kernel->set_workspace(s.x_bytes() + s.y_bytes() + quant_scratch_bytes(*quant, s.m, s.k));
  kernel->set_packing(1, format_name + "_p16", quant_packed_bytes(format, s.n, s.k),
                      [](const Constant& weight, std::span<std::byte> out) {
                        quant_pack(weight, out);
                        return Status::success();
                      });
  return kernel;
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  const OperandDesc& w = node.inputs[1];
  LinearShape s{x.shape.elements_between(0, x.shape.rank() - 1), w.type.shape[0], w.type.shape[1],
                x.dtype};
  if (!is_short_float(s.dtype)) return unsupported(node, "x is no float of at most 32 bits");
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2].present;
  if (has_bias && node.inputs[2].type.dtype != DType::kF32) {
    return unsupported(node, "bias is not float32");
  }
  if (w.type.encoding.is_block() && w.constant != nullptr) {
    return block_kernel(target, s, w.type.encoding.format);
  }
  if (w.constant == nullptr && (!w.type.encoding.is_plain() || !is_short_float(w.type.dtype))) {
    return unsupported(node, "an encoded weight must be a constant");
  }
  return float_kernel(target, s, w);
}

constexpr std::string_view kOps[] = {"polaris.Linear"};

}  // namespace

extern const KernelFamily family_linear;
constinit const KernelFamily family_linear{kOps, select};

}  // namespace polaris::cpu
