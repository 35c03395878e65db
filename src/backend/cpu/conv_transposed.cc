#include "backend/cpu/conv_transposed.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/window_rows.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

// Rows of one product, about: so many taps of so many channels of Y stay in a first-level cache
// beside their sums.
constexpr std::int64_t kRows = 48;
constexpr std::int64_t kColumns = 4 * kPanel;  // positions of X of one product

/// Names are the geometry's: `in` is Y's and `out` X's.
struct TransposedConv {
  const Simd* simd = nullptr;
  ConvGeometry g;
  bool packed = false;  // weights were packed when the model was loaded

  std::int64_t depth() const { return g.group_out; }
  std::int64_t group_rows() const { return g.group_in * g.kernel_size(); }
  std::int64_t weight_elements() const { return g.groups * depth() * group_rows(); }
  /// Channels of Y of one product.
  std::int64_t block_channels() const {
    const std::int64_t taps = std::max<std::int64_t>(g.kernel_size(), 1);
    return std::clamp<std::int64_t>(kRows / taps, 1, std::max<std::int64_t>(g.group_in, 1));
  }
  std::int64_t blocks() const { return ceil_div(g.group_in, block_channels()); }
  /// No element of Y gets something from two positions.
  bool is_disjoint() const {
    return std::all_of(std::begin(g.dims), std::end(g.dims),
                       [](const WindowDim& d) { return (d.kernel - 1) * d.dilation < d.stride; });
  }
  /// Per worker: panels of X, and products.
  std::int64_t panel_elements() const { return depth() * kColumns; }
  std::int64_t worker_elements() const {
    return panel_elements() + block_channels() * g.kernel_size() * kColumns;
  }
};

/// [group][depth][channel * tap] as [group][block][rows of gemm][depth].
void pack_weights(const TransposedConv& c, const float* w, float* out) {
  for (std::int64_t group = 0; group < c.g.groups; ++group, w += c.depth() * c.group_rows()) {
    for (std::int64_t m = 0; m < c.g.group_in; m += c.block_channels()) {
      const std::int64_t taps = c.g.kernel_size();
      const std::int64_t rows = std::min(c.block_channels(), c.g.group_in - m) * taps;
      const std::int64_t unit = rows_of_block(*c.simd, rows);
      for (std::int64_t r = 0; r < rows; r += unit) {
        const std::int64_t count = std::min(unit, rows - r);
        for (std::int64_t k = 0; k < c.depth(); ++k, out += count) {
          std::copy_n(w + k * c.group_rows() + m * taps + r, count, out);
        }
      }
    }
  }
}

/// Positions [first, first + count) of X in one group of one image.
struct Positions {
  std::int64_t image_group = 0;  // image * groups + group
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Adds the products [channel][tap][kColumns] of `channels` channels to their planes in y.
void scatter(const ConvGeometry& g, const Positions& at, const float* products,
             std::int64_t channels, float* y) {
  const std::int64_t width = g.dims[2].out;
  const std::int64_t step = g.dims[2].stride;
  const std::int64_t end = at.first + at.count;
  for (std::int64_t row = at.first / width; row * width < end; ++row) {
    const std::int64_t low = std::max<std::int64_t>(at.first - row * width, 0);
    const std::int64_t high = std::min(end - row * width, width);
    each_tap_run(g, row, [&](const TapRun& run) {
      const std::int64_t begin = std::max(run.begin, low);
      const std::int64_t count = std::min(run.end, high) - begin;
      const float* from = products + run.k * kColumns + row * width - at.first + begin;
      float* to = y + run.from + begin * step;
      for (std::int64_t m = 0; m < channels; ++m) {
        for (std::int64_t o = 0; o < count; ++o) to[o * step] += from[o];
        from += g.kernel_size() * kColumns;
        to += g.in_size();
      }
    });
  }
}

/// What positions add to blocks [from, to) of channels of Y.
void add_positions(const TransposedConv& c, const Launch& l, const float* weights,
                   const Positions& at, std::int64_t from, std::int64_t to, float* work) {
  const ConvGeometry& g = c.g;
  const float* x = l.in<float>(0) + at.image_group * g.group_out * g.out_size() + at.first;
  const std::int64_t panels = packed_panels(at.count);
  pack_panels<float>({x, g.out_size(), 1}, c.depth(), at.count, 0, panels, work);
  float* products = work + c.panel_elements();
  const float* group = weights + at.image_group % g.groups * c.depth() * c.group_rows();
  for (std::int64_t block = from; block < to; ++block) {
    const std::int64_t m = block * c.block_channels();
    const std::int64_t channels = std::min(c.block_channels(), g.group_in - m);
    GemmCall call;
    call.a = group + m * g.kernel_size() * c.depth();
    call.m = channels * g.kernel_size();
    call.b = work;
    call.k = c.depth();
    call.n = at.count;
    call.c = products;
    call.ldc = kColumns;
    gemm_block(*c.simd, call, call.a, 0, call.m, 0, panels);
    scatter(g, at, products, channels,
            l.out<float>(0) + (at.image_group * g.group_in + m) * g.in_size());
  }
}

void run_transposed(const TransposedConv& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  auto* work = reinterpret_cast<float*>(l.workspace);
  const float* weights = l.in<float>(1);
  if (!c.packed) {
    float* own = work + l.pool->threads() * c.worker_elements();
    pack_weights(c, weights, own);
    weights = own;
  }
  const float* bias = l.in<float>(2);
  const std::int64_t out_channels = g.groups * g.group_in;
  l.pool->parallel_for(g.batch * out_channels, 1, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t p = from; p < to; ++p) {
      std::fill_n(l.out<float>(0) + p * g.in_size(), g.in_size(),
                  bias == nullptr ? 0.0f : bias[p % out_channels]);
    }
  });
  // Tasks share no element of y: by positions where these do not, else by channels.
  const bool disjoint = c.is_disjoint();
  const std::int64_t runs = ceil_div(g.out_size(), kColumns);
  const std::int64_t parts = disjoint ? runs : c.blocks();
  l.pool->parallel_for(
      g.batch * g.groups * parts, 1, [&](std::int64_t from, std::int64_t to, int worker) {
        for (std::int64_t t = from; t < to; ++t) {
          const std::int64_t part = t % parts;
          const std::int64_t first_run = disjoint ? part : 0;
          const std::int64_t last_run = disjoint ? part + 1 : runs;
          for (std::int64_t run = first_run; run < last_run; ++run) {
            const std::int64_t first = run * kColumns;
            const Positions at{t / parts, first, std::min(kColumns, g.out_size() - first)};
            add_positions(c, l, weights, at, disjoint ? 0 : part, disjoint ? c.blocks() : part + 1,
                          work + worker * c.worker_elements());
          }
        }
      });
}

}  // namespace

KernelResult transposed_conv(const CpuTarget& target, const NodeDesc& node,
                             const ConvGeometry& geometry) {
  TransposedConv c{target.simd, geometry, false};
  c.packed = node.inputs[1].constant != nullptr && c.weight_elements() > 0;
  auto kernel = make_kernel("conv_transpose_f32", [c](const Launch& l) { run_transposed(c, l); });
  kernel->set_workspace(
      (target.threads * c.worker_elements() + (c.packed ? 0 : c.weight_elements())) * 4);
  if (c.packed) {
    kernel->set_packing(
        1,
        "f32_conv_transpose_g" + std::to_string(geometry.groups) + "_t" +
            std::to_string(geometry.kernel_size()) + "_r" + std::to_string(target.simd->gemm_rows),
        c.weight_elements() * 4,
        packing_of_floats(c.weight_elements(),
                          [c](const float* plain, float* out) { pack_weights(c, plain, out); }));
  }
  return KernelResult(std::move(kernel));
}

}  // namespace polaris::cpu
