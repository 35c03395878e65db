// Conv in float32: depthwise directly, everything else as panels of im2col times packed weights.
#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/conv_channels_last.h"
#include "backend/cpu/conv_epilogue.h"
#include "backend/cpu/conv_transposed.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/im2col.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/window_planes.h"
#include "base/checked.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {
namespace {

struct ConvNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
  ConvEpilogue epilogue;
  bool packed = false;  // weights were packed when the model was loaded

  std::int64_t depth() const { return g.group_in * g.kernel_size(); }
  std::int64_t weight_elements() const { return g.groups * g.group_out * depth(); }
};

/// Weights of all groups as packed rows.
void pack_weights(const ConvNode& c, const float* w, float* out) {
  for (std::int64_t group = 0; group < c.g.groups; ++group) {
    GemmCall call;
    call.a = w + group * c.g.group_out * c.depth();
    call.lda = c.depth();
    call.m = c.g.group_out;
    call.k = c.depth();
    pack_rows(*c.simd, call, 0, call.m, out + group * c.g.group_out * c.depth());
  }
}

/// Finishes n sums in the output.
void finish_run(const ConvEpilogue& epilogue, const Launch& l, float* y, std::int64_t n) {
  const float* residual = l.in<float>(kConvResidual);
  epilogue.finish(residual == nullptr ? nullptr : residual + (y - l.out<float>(0)), y, n);
}

/// Output channels of one group at positions [first, first + columns) of one image.
void conv_block(const ConvNode& c, const Launch& l, const float* weights, std::int64_t image,
                std::int64_t group, std::int64_t first, std::int64_t columns, float* panels) {
  const ConvGeometry& g = c.g;
  const float* plane = l.in<float>(0) + (image * g.groups + group) * g.group_in * g.in_size();
  for (std::int64_t p = 0; p * kPanel < columns; ++p) {
    im2col_panel(g, plane, first + p * kPanel, std::min<std::int64_t>(kPanel, columns - p * kPanel),
                 panels + p * c.depth() * kPanel);
  }
  GemmCall call;
  call.b = panels;
  call.ldc = g.out_size();
  call.m = g.group_out;
  call.k = c.depth();
  call.n = columns;
  call.a = weights + group * g.group_out * c.depth();
  call.c = l.out<float>(0) + ((image * g.groups + group) * g.group_out) * g.out_size() + first;
  call.row_bias = l.in<float>(2) != nullptr ? l.in<float>(2) + group * g.group_out : nullptr;
  gemm_block(*c.simd, call, call.a, 0, call.m, 0, packed_panels(columns));
  for (std::int64_t m = 0; m < call.m; ++m) {
    finish_run(c.epilogue, l, call.c + m * call.ldc, columns);
  }
}

void conv(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  auto* work = reinterpret_cast<float*>(l.workspace);
  const float* weights = l.in<float>(1);
  const std::int64_t tile = c.simd->gemm_panels * kPanel;
  if (!c.packed) {
    float* packed = work + l.pool->threads() * tile * c.depth();
    pack_weights(c, weights, packed);
    weights = packed;
  }
  const std::int64_t tiles = ceil_div(g.out_size(), tile);
  l.pool->parallel_for(
      g.batch * g.groups * tiles, 1, [&](std::int64_t from, std::int64_t to, int worker) {
        for (std::int64_t t = from; t < to; ++t) {
          const std::int64_t first = t % tiles * tile;
          const std::int64_t plane = t / tiles;
          conv_block(c, l, weights, plane / g.groups, plane % g.groups, first,
                     std::min(tile, g.out_size() - first), work + worker * tile * c.depth());
        }
      });
}

void depthwise(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  WindowPlanes planes;
  planes.run = c.simd->window_product;
  planes.x = l.in<float>(0);
  planes.y = l.out<float>(0);
  planes.factors = l.in<float>(1);
  planes.bias = l.in<float>(2);
  planes.outputs = g.groups * g.group_out;
  planes.outputs_each = g.group_out;
  const std::int64_t all = g.batch * planes.outputs;
  l.pool->parallel_for(
      all, planes_of_task(all, l.pool->threads()), [&](std::int64_t from, std::int64_t to, int) {
        window_planes(g, planes, from, to);
        finish_run(c.epilogue, l, planes.y + from * g.out_size(), (to - from) * g.out_size());
      });
}

// Shorter rows of outputs leave vectors along them mostly empty.
constexpr std::int64_t kShortRow = 32;

/// Products of channels-last rows are faster, where panels of output channels are not mostly empty;
/// so are depthwise ones, where a vector is channels and no row is long.
bool rather_channels_last(const ConvGeometry& g) {
  if (g.groups == 1) return g.group_out >= kPanel / 2;
  if (g.group_in > 1) return g.group_out >= kPanel;
  return g.group_out == 1 && g.groups >= kPanel && g.dims[2].out < kShortRow;
}

KernelResult select_conv(const CpuTarget& target, const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  const Shape& w = node.inputs[1].type.shape;
  const auto g = conv_geometry(x, w, conv_attrs(node));
  if (!g) return unsupported(node, g.error().message());
  if (node.inputs[0].layout == Layout::kChannelsLast) {
    return channels_last_conv(target, node, *g, conv_epilogue(target, node));
  }
  ConvNode c{target.simd, *g, conv_epilogue(target, node), false};
  if (g->group_in == 1 && g->groups > 1) {
    auto kernel = make_kernel("conv_depthwise_f32", [c](const Launch& l) { depthwise(c, l); });
    if (rather_channels_last(*g)) kernel->wish_channels_last();
    return KernelResult(std::move(kernel));
  }
  c.packed = node.inputs[1].constant != nullptr && c.weight_elements() > 0;
  auto kernel = make_kernel("conv_im2col_f32", [c](const Launch& l) { conv(c, l); });
  const std::int64_t panels = target.threads * target.simd->gemm_panels * kPanel * c.depth();
  if (rather_channels_last(*g)) kernel->wish_channels_last();
  kernel->set_workspace((panels + (c.packed ? 0 : c.weight_elements())) * 4);
  if (c.packed) {
    kernel->set_packing(
        1, "f32_conv_g" + std::to_string(g->groups) + "_r" + std::to_string(target.simd->gemm_rows),
        c.weight_elements() * 4,
        packing_of_floats(c.weight_elements(),
                          [c](const float* plain, float* out) { pack_weights(c, plain, out); }));
  }
  return KernelResult(std::move(kernel));
}

KernelResult select_transposed(const CpuTarget& target, const NodeDesc& node) {
  const auto g = conv_transpose_geometry(node.inputs[0].type.shape, node.inputs[1].type.shape,
                                         node.attributes<ConvTransposeAttrs>());
  if (!g) return unsupported(node, g.error().message());
  return transposed_conv(target, node, *g);
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  for (const OperandDesc& in : node.inputs) {
    if (in.present && (in.type.dtype != DType::kF32 || !in.type.encoding.is_plain())) {
      return unsupported(node, "an operand is not float32");
    }
  }
  return node.op->name == "ConvTranspose" ? select_transposed(target, node)
                                          : select_conv(target, node);
}

constexpr std::string_view kOps[] = {"Conv", "ConvTranspose", "polaris.FusedConv"};
constexpr std::string_view kChannelsLast[] = {"Conv", "polaris.FusedConv"};

}  // namespace

extern const KernelFamily family_conv;
constinit const KernelFamily family_conv{"conv", kOps, one_kernel<select>, kChannelsLast};

}  // namespace polaris::cpu
