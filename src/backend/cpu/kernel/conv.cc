// Conv in float32: depthwise directly, everything else as panels of im2col times packed weights.
// ConvTranspose directly.
#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/conv_channels_last.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/im2col.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/window_rows.h"
#include "base/checked.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {
namespace {

struct ConvNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
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

/// One channel's plane: each tap is one multiple of a shifted input row added to an output row.
void depthwise_plane(const ConvNode& c, const float* x, const float* w, float bias, float* y) {
  const ConvGeometry& g = c.g;
  const std::int64_t stride = g.dims[2].stride;
  for (std::int64_t row = 0; row < g.dims[0].out * g.dims[1].out; ++row) {
    float* to = y + row * g.dims[2].out;
    std::fill_n(to, g.dims[2].out, bias);
    each_tap_run(g, row, [&](const TapRun& run) {
      const float factor = w[run.k];
      if (stride == 1) {
        c.simd->axpy(factor, x + run.from + run.begin, to + run.begin, run.end - run.begin);
        return;
      }
      for (std::int64_t o = run.begin; o < run.end; ++o) to[o] += factor * x[run.from + o * stride];
    });
  }
}

void depthwise(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  const std::int64_t channels = g.groups * g.group_out;
  parallel_rows(*l.pool, g.batch * channels, g.out_size() * g.kernel_size(),
                [&](std::int64_t from, std::int64_t to, int) {
                  for (std::int64_t i = from; i < to; ++i) {
                    const std::int64_t m = i % channels;
                    const std::int64_t in = i / channels * g.groups + m / g.group_out;
                    depthwise_plane(c, l.in<float>(0) + in * g.in_size(),
                                    l.in<float>(1) + m * g.kernel_size(),
                                    l.in<float>(2) != nullptr ? l.in<float>(2)[m] : 0.0f,
                                    l.out<float>(0) + i * g.out_size());
                  }
                });
}

KernelResult select_conv(const CpuTarget& target, const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  const Shape& w = node.inputs[1].type.shape;
  const auto g = conv_geometry(x, w, node.attributes<ConvAttrs>());
  if (!g) return unsupported(node, g.error().message());
  if (node.inputs[0].layout == Layout::kChannelsLast) return channels_last_conv(target, node, *g);
  ConvNode c{target.simd, *g, false};
  if (g->group_in == 1 && g->groups > 1) {
    return KernelResult(
        make_kernel("conv_depthwise_f32", [c](const Launch& l) { depthwise(c, l); }));
  }
  c.packed = node.inputs[1].constant != nullptr && c.weight_elements() > 0;
  auto kernel = make_kernel("conv_im2col_f32", [c](const Launch& l) { conv(c, l); });
  const std::int64_t panels = target.threads * target.simd->gemm_panels * kPanel * c.depth();
  kernel->set_workspace((panels + (c.packed ? 0 : c.weight_elements())) * 4);
  if (c.packed) {
    kernel->set_packing(
        1, "f32_conv_g" + std::to_string(g->groups) + "_r" + std::to_string(target.simd->gemm_rows),
        c.weight_elements() * 4, [c](const Constant& weight, std::span<std::byte> out) {
          std::vector<float> plain(static_cast<std::size_t>(c.weight_elements()));
          decode_constant(weight, 0, c.weight_elements(), plain.data());
          pack_weights(c, plain.data(), reinterpret_cast<float*>(out.data()));
          return Status::success();
        });
  }
  return KernelResult(std::move(kernel));
}

/// Every output plane gathers its input planes in order of channel, position and tap.
void transposed_plane(const ConvGeometry& g, const Launch& l, std::int64_t plane) {
  const std::int64_t out_channels = g.groups * g.group_in;
  const std::int64_t image = plane / out_channels;
  const std::int64_t m = plane % g.group_in;
  const std::int64_t group = plane % out_channels / g.group_in;
  float* y = l.out<float>(0) + plane * g.in_size();
  const float* bias = l.in<float>(2);
  std::fill_n(y, g.in_size(), bias != nullptr ? bias[plane % out_channels] : 0.0f);
  for (std::int64_t i = 0; i < g.group_out; ++i) {
    const std::int64_t channel = group * g.group_out + i;
    const float* x = l.in<float>(0) + (image * g.groups * g.group_out + channel) * g.out_size();
    const float* w = l.in<float>(1) + (channel * g.group_in + m) * g.kernel_size();
    for (std::int64_t p = 0; p < g.out_size(); ++p) {
      each_tap(g, p, [&](std::int64_t k, std::int64_t at) { y[at] += x[p] * w[k]; });
    }
  }
}

KernelResult select_transposed(const NodeDesc& node) {
  const auto g = conv_transpose_geometry(node.inputs[0].type.shape, node.inputs[1].type.shape,
                                         node.attributes<ConvTransposeAttrs>());
  if (!g) return unsupported(node, g.error().message());
  return KernelResult(make_kernel("conv_transpose_f32", [g = *g](const Launch& l) {
    l.pool->parallel_for(g.batch * g.groups * g.group_in, 1,
                         [&](std::int64_t from, std::int64_t to, int) {
                           for (std::int64_t p = from; p < to; ++p) transposed_plane(g, l, p);
                         });
  }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  for (const OperandDesc& in : node.inputs) {
    if (in.present && (in.type.dtype != DType::kF32 || !in.type.encoding.is_plain())) {
      return unsupported(node, "an operand is not float32");
    }
  }
  return node.op->name == "Conv" ? select_conv(target, node) : select_transposed(node);
}

constexpr std::string_view kOps[] = {"Conv", "ConvTranspose"};
constexpr std::string_view kChannelsLast[] = {"Conv"};

}  // namespace

extern const KernelFamily family_conv;
constinit const KernelFamily family_conv{"conv", kOps, one_kernel<select>, kChannelsLast};

}  // namespace polaris::cpu
