// polaris.Linear: y = x @ w^T + bias with plain, affine and block-encoded weights.
#include <optional>
#include <string>

#include "backend/cpu/gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/quant_gemm.h"
#include "backend/cpu/quant_pack.h"
#include "backend/cpu/weight_panels.h"

namespace polaris::cpu {
namespace {

struct LinearShape {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
};

std::shared_ptr<CpuKernel> float_kernel(const CpuTarget& target, const LinearShape& s,
                                        const OperandDesc& w) {
  const bool packed = w.constant != nullptr;
  std::optional<WeightPanels> panels;
  if (packed) panels.emplace(*w.constant, s.k, s.n, true);
  const bool half = packed && panels->half;
  const Simd* simd = target.simd;
  auto kernel = make_kernel(
      std::string("linear_") + (half ? "f16" : "f32"), [s, simd, half, packed](const Launch& l) {
        GemmCall call;
        call.a = l.in<float>(0);
        call.lda = s.k;
        call.b = l.inputs[1];
        call.b_is_f16 = half;
        call.c = l.out<float>(0);
        call.ldc = s.n;
        call.m = s.m;
        call.k = s.k;
        call.n = s.n;
        call.bias = l.in<float>(2);
        call.scratch = reinterpret_cast<float*>(l.workspace);
        if (!packed) {
          float* own = call.scratch + s.m * s.k;
          l.pool->parallel_for(packed_panels(s.n), 4, [&](std::int64_t from, std::int64_t to, int) {
            pack_panels<float>({l.in<float>(1), 1, s.k}, s.k, s.n, from, to, own);
          });
          call.b = own;
        }
        gemm(*simd, *l.pool, call);
      });
  std::int64_t workspace = s.m * s.k * 4;
  if (packed) {
    panels->pack_when_loaded(*kernel, 1);
    if (s.m == 1) workspace = 0;
  } else {
    workspace += packed_elements(s.k, s.n) * 4;
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
    quant_gemm(*simd, *quant, *l.pool,
               {l.in<float>(0), l.inputs[1], format, l.out<float>(0), s.m, s.k, s.n, l.in<float>(2),
                l.workspace});
  });
  kernel->set_workspace(quant_scratch_bytes(*quant, format, s.m, s.k));
  if (!quant_packs(format)) return kernel;
  kernel->set_packing(1, format_name + "_p16", quant_packed_bytes(format, s.n, s.k),
                      [s, format](const Constant& weight, std::span<std::byte> out) {
                        quant_pack(format, s.n, s.k, weight.data.bytes().data(), out);
                        return Status::success();
                      });
  return kernel;
}

/// Affine weights in panels of their own width.
std::shared_ptr<CpuKernel> affine_kernel(const CpuTarget& target, const LinearShape& s,
                                         AffinePanels panels) {
  const Simd* simd = target.simd;
  const QuantSimd* quant = target.quant;
  const PanelFormat format(panels);
  const std::string name(affine_panels_name(panels));
  auto kernel = make_kernel("linear_" + name, [s, simd, quant, format](const Launch& l) {
    quant_gemm(*simd, *quant, *l.pool,
               {l.in<float>(0), l.inputs[1], format, l.out<float>(0), s.m, s.k, s.n, l.in<float>(2),
                l.workspace});
  });
  kernel->set_workspace(quant_scratch_bytes(*quant, format, s.m, s.k));
  kernel->set_packing(1, name + "_p16", quant_packed_bytes(format, s.n, s.k),
                      [panels](const Constant& weight, std::span<std::byte> out) {
                        affine_pack(panels, weight, out);
                        return Status::success();
                      });
  return kernel;
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  const OperandDesc& w = node.inputs[1];
  LinearShape s{x.shape.elements_between(0, x.shape.rank() - 1), w.type.shape[0], w.type.shape[1]};
  if (x.dtype != DType::kF32) return unsupported(node, "x is not float32");
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2].present;
  if (has_bias && node.inputs[2].type.dtype != DType::kF32) {
    return unsupported(node, "bias is not float32");
  }
  if (w.type.encoding.is_block() && w.constant != nullptr) {
    return block_kernel(target, s, w.type.encoding.format);
  }
  if (w.constant != nullptr) {
    const AffinePanels panels = affine_panels(*w.constant);
    if (panels != AffinePanels::kNone) return affine_kernel(target, s, panels);
  }
  if (w.constant == nullptr && (!w.type.encoding.is_plain() || w.type.dtype != DType::kF32)) {
    return unsupported(node, "a weight that is encoded or not float32 must be a constant");
  }
  return float_kernel(target, s, w);
}

constexpr std::string_view kOps[] = {"polaris.Linear"};

}  // namespace

extern const KernelFamily family_linear;
constinit const KernelFamily family_linear{"linear", kOps, one_kernel<select>};

}  // namespace polaris::cpu
