#include "backend/cpu/conv_channels_last.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/im2col.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/weights.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

// Row blocks of one task: enough that the weights are read once for many positions.
constexpr std::int64_t kBlocks = 8;
constexpr std::int64_t kTapsMax = 32;  // of one call of multiply_rows

struct ConvNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
  bool packed = false;  // weights were packed when the model was loaded

  std::int64_t depth() const { return g.group_in * g.kernel_size(); }
  std::int64_t weight_elements() const { return g.groups * g.group_out * depth(); }
  std::int64_t group_elements() const { return packed_elements(depth(), g.group_out); }
  std::int64_t in_channels() const { return g.groups * g.group_in; }
  std::int64_t out_channels() const { return g.groups * g.group_out; }
  std::int64_t tile_rows() const { return kBlocks * simd->gemm_rows; }
  /// Per worker: packed rows, and one block of rows before packing.
  std::int64_t worker_elements() const { return (tile_rows() + simd->gemm_rows) * depth(); }
};

/// [M][C][kernel] as panels of [kernel][C] x M, group by group.
void pack_weights(const ConvNode& c, const float* w, float* out) {
  const std::int64_t taps = c.g.kernel_size();
  std::fill_n(out, c.g.groups * c.group_elements(), 0.0f);
  for (std::int64_t m = 0; m < c.out_channels(); ++m, w += c.depth()) {
    const std::int64_t column = m % c.g.group_out;
    float* panel = out + m / c.g.group_out * c.group_elements() +
                   column / kPanel * c.depth() * kPanel + column % kPanel;
    for (std::int64_t i = 0; i < c.g.group_in; ++i) {
      for (std::int64_t k = 0; k < taps; ++k) {
        panel[(k * c.g.group_in + i) * kPanel] = w[i * taps + k];
      }
    }
  }
}

/// All channels of one group at positions [first, first + count) of one image.
void conv_tile(const ConvNode& c, const Launch& l, const float* weights, std::int64_t image,
               std::int64_t group, std::int64_t first, std::int64_t count, float* work) {
  const ConvGeometry& g = c.g;
  const float* x = l.in<float>(0) + image * g.in_size() * c.in_channels();
  GemmCall rows;
  rows.k = c.depth();
  if (reads_image(g)) {
    rows.a = x + first * c.in_channels() + group * g.group_in;
    rows.lda = c.in_channels();
    rows.m = count;
    pack_rows(*c.simd, rows, 0, count, work);
  } else {
    float* block = work + c.tile_rows() * c.depth();
    rows.a = block;
    rows.lda = c.depth();
    const std::int64_t unit = rows_of_block(*c.simd, count);
    for (std::int64_t r = 0; r < count; r += unit) {
      rows.m = std::min(unit, count - r);
      im2col_rows(g, x, group, first + r, rows.m, 0.0f, block);
      pack_rows(*c.simd, rows, 0, rows.m, work + r * c.depth());
    }
  }
  GemmCall call;
  call.b = weights + group * c.group_elements();
  call.ldc = c.out_channels();
  call.m = count;
  call.k = c.depth();
  call.n = g.group_out;
  call.c =
      l.out<float>(0) + (image * g.out_size() + first) * c.out_channels() + group * g.group_out;
  call.bias = l.in<float>(2) != nullptr ? l.in<float>(2) + group * g.group_out : nullptr;
  gemm_block(*c.simd, call, work, 0, count, 0, packed_panels(g.group_out));
}

void conv(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  auto* work = reinterpret_cast<float*>(l.workspace);
  const float* weights = l.in<float>(1);
  if (!c.packed) {
    float* own = work + l.pool->threads() * c.worker_elements();
    pack_weights(c, weights, own);
    weights = own;
  }
  const std::int64_t tiles = ceil_div(g.out_size(), c.tile_rows());
  l.pool->parallel_for(g.batch * g.groups * tiles, 1,
                       [&](std::int64_t from, std::int64_t to, int worker) {
                         for (std::int64_t t = from; t < to; ++t) {
                           const std::int64_t first = t % tiles * c.tile_rows();
                           const std::int64_t plane = t / tiles;
                           conv_tile(c, l, weights, plane / g.groups, plane % g.groups, first,
                                     std::min(c.tile_rows(), g.out_size() - first),
                                     work + worker * c.worker_elements());
                         }
                       });
}

// --- one input and one output channel a group

/// [C][1][kernel] as [kernel][C].
void pack_depthwise(const ConvNode& c, const float* w, float* out) {
  const std::int64_t taps = c.g.kernel_size();
  for (std::int64_t m = 0; m < c.g.groups; ++m) {
    for (std::int64_t k = 0; k < taps; ++k) out[k * c.g.groups + m] = w[m * taps + k];
  }
}

/// All channels at one output position.
void depthwise_position(const ConvNode& c, const float* x, const float* weights, const float* bias,
                        std::int64_t position, float* y) {
  const std::int64_t channels = c.g.groups;
  if (bias != nullptr) {
    std::copy_n(bias, channels, y);
  } else {
    std::fill_n(y, channels, 0.0f);
  }
  const float* rows[kTapsMax];
  const float* factors[kTapsMax];
  std::int64_t count = 0;
  each_tap(c.g, position, [&](std::int64_t k, std::int64_t at) {
    if (count == kTapsMax) {
      c.simd->multiply_rows(rows, factors, count, channels, y);
      count = 0;
    }
    rows[count] = x + at * channels;
    factors[count++] = weights + k * channels;
  });
  c.simd->multiply_rows(rows, factors, count, channels, y);
}

void depthwise(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  const float* weights = l.in<float>(1);
  if (!c.packed) {
    auto* own = reinterpret_cast<float*>(l.workspace);
    pack_depthwise(c, weights, own);
    weights = own;
  }
  parallel_rows(*l.pool, g.batch * g.out_size(), g.groups * g.kernel_size(),
                [&](std::int64_t from, std::int64_t to, int) {
                  for (std::int64_t p = from; p < to; ++p) {
                    const std::int64_t image = p / g.out_size();
                    depthwise_position(c, l.in<float>(0) + image * g.in_size() * g.groups, weights,
                                       l.in<float>(2), p % g.out_size(),
                                       l.out<float>(0) + p * g.groups);
                  }
                });
}

using PackFn = void (*)(const ConvNode&, const float*, float*);

void pack_when_loaded(CpuKernel& kernel, const ConvNode& c, std::string layout,
                      std::int64_t elements, PackFn pack) {
  kernel.set_packing(1, std::move(layout), elements * 4,
                     [c, pack](const Constant& weight, std::span<std::byte> out) {
                       std::vector<float> plain(static_cast<std::size_t>(c.weight_elements()));
                       decode_constant(weight, 0, c.weight_elements(), plain.data());
                       pack(c, plain.data(), reinterpret_cast<float*>(out.data()));
                       return Status::success();
                     });
}

}  // namespace

KernelResult channels_last_conv(const CpuTarget& target, const NodeDesc& node,
                                const ConvGeometry& geometry) {
  ConvNode c{target.simd, geometry, false};
  c.packed = node.inputs[1].constant != nullptr && c.weight_elements() > 0;
  if (geometry.group_in == 1 && geometry.group_out == 1 && geometry.groups > 1) {
    auto kernel = make_kernel("conv_depthwise_f32_nhwc", [c](const Launch& l) { depthwise(c, l); });
    kernel->set_workspace(c.packed ? 0 : c.weight_elements() * 4);
    if (c.packed) {
      pack_when_loaded(*kernel, c, "f32_depthwise_nhwc", c.weight_elements(), pack_depthwise);
    }
    return KernelResult(std::move(kernel));
  }
  auto kernel = make_kernel("conv_im2col_f32_nhwc", [c](const Launch& l) { conv(c, l); });
  const std::int64_t panels = geometry.groups * c.group_elements();
  kernel->set_workspace((target.threads * c.worker_elements() + (c.packed ? 0 : panels)) * 4);
  if (c.packed) {
    pack_when_loaded(*kernel, c, "f32_conv_nhwc_g" + std::to_string(geometry.groups), panels,
                     pack_weights);
  }
  return KernelResult(std::move(kernel));
}

}  // namespace polaris::cpu
