#include "backend/cpu/depthwise_channels_last.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/window_rows.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTapsMax = 64;  // of one tile
// Channels that pass over a row of positions at a time: their taps, and what a tile reads, stay in
// a first-level cache.
constexpr std::int64_t kChannels = 320;
constexpr std::int64_t kLanes = 16;   // blocks of channels are whole vectors
constexpr std::int64_t kRowsMax = 8;  // of a kernel, of those that go by rows

struct DepthwiseNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
  ConvEpilogue epilogue;
  bool packed = false;

  std::int64_t channels() const { return g.groups; }
  std::int64_t weight_elements() const { return g.groups * g.kernel_size(); }
  std::int64_t kernel_rows() const { return g.dims[0].kernel * g.dims[1].kernel; }
  /// By rows of taps side by side, else tap by tap.
  bool goes_by_rows() const {
    const WindowDim& last = g.dims[2];
    return (last.kernel == 3 || last.kernel == 5) && last.stride <= 2 && last.dilation == 1 &&
           kernel_rows() <= kRowsMax;
  }
  /// Two output rows at a time share what they read: the second is the first, moved by one row.
  bool goes_by_pairs() const {
    return goes_by_rows() && g.dims[2].stride == 1 && g.dims[1].stride == 1 &&
           g.dims[1].dilation == 1 && g.dims[0].kernel == 1 && g.dims[0].out == 1;
  }
  std::int64_t block_channels() const {
    const std::int64_t blocks = ceil_div(channels(), kChannels);
    return std::max<std::int64_t>(round_up(ceil_div(channels(), blocks), kLanes), kLanes);
  }
};

/// [C][1][kernel] as [kernel][C].
void pack(const DepthwiseNode& d, const float* w, float* out) {
  const std::int64_t taps = d.g.kernel_size();
  for (std::int64_t m = 0; m < d.channels(); ++m) {
    for (std::int64_t k = 0; k < taps; ++k) out[k * d.channels() + m] = w[m * taps + k];
  }
}

/// The taps of one position.
struct Taps {
  std::int64_t x[kTapsMax];
  std::int64_t w[kTapsMax];
  std::int64_t count = 0;
};

/// `positions` positions from `position` on, by the taps of the first. False: in several tiles, as
/// there are more taps than one takes.
bool depthwise_at(const DepthwiseNode& d, DepthwiseTile tile, std::int64_t position, int positions,
                  Taps& taps) {
  bool whole = true;
  const SumFinish finish = tile.finish;
  tile.finish = {};
  taps.count = 0;
  tile.x_offsets = taps.x;
  tile.w_offsets = taps.w;
  each_tap(d.g, position, [&](std::int64_t k, std::int64_t offset) {
    if (taps.count == kTapsMax) {
      tile.taps = taps.count;
      d.simd->depthwise(tile, positions);
      tile.accumulate = true;
      taps.count = 0;
      whole = false;
    }
    taps.x[taps.count] = offset * d.channels();
    taps.w[taps.count++] = k * d.channels();
  });
  tile.taps = taps.count;
  tile.finish = finish;
  d.simd->depthwise(tile, positions);
  return whole;
}

/// `tile` of the first position, moved to position `o` of its row.
DepthwiseTile tile_at(DepthwiseTile tile, std::int64_t o) {
  tile.y += o * tile.y_step;
  if (tile.finish.add != nullptr) tile.finish.add += o * tile.y_step;
  return tile;
}

/// One output row of one image for a block of channels, `tile` being that of its first position
/// (x: the image).
void depthwise_row(const DepthwiseNode& d, const DepthwiseTile& tile, std::int64_t row) {
  const WindowDim& last = d.g.dims[2];
  const Inner inner = inner_positions(last);
  const int wide = d.simd->depthwise_positions;
  Taps taps;
  std::int64_t known_at = -1;  // the inner position that `taps` are of
  for (std::int64_t o = 0; o < last.out;) {
    const int positions = o >= inner.from && o + wide <= inner.to ? wide : 1;
    DepthwiseTile at = tile_at(tile, o);
    if (known_at >= 0 && o < inner.to) {
      at.x += (o - known_at) * tile.x_step;
      at.x_offsets = taps.x;
      at.w_offsets = taps.w;
      at.taps = taps.count;
      d.simd->depthwise(at, positions);
    } else {
      const bool whole = depthwise_at(d, at, row * last.out + o, positions, taps);
      if (whole && o >= inner.from && o < inner.to) known_at = o;
    }
    o += positions;
  }
}

/// The inner positions of `outputs` rows of one image from `row` on.
void depthwise_inner(const DepthwiseNode& d, const DepthwiseTile& tile, std::int64_t row,
                     int outputs, const Inner& inner) {
  const WindowDim& d0 = d.g.dims[0];
  const WindowDim& d1 = d.g.dims[1];
  const WindowDim& last = d.g.dims[2];
  const float* x[kRowsMax + 1];
  for (std::int64_t k0 = 0; k0 < d0.kernel; ++k0) {
    const std::int64_t i0 = row / d1.out * d0.stride - d0.pad_begin + k0 * d0.dilation;
    for (std::int64_t k1 = 0; k1 < d1.kernel + outputs - 1; ++k1) {
      const std::int64_t i1 = row % d1.out * d1.stride - d1.pad_begin + k1 * d1.dilation;
      const bool inside = i0 >= 0 && i0 < d0.in && i1 >= 0 && i1 < d1.in;
      const std::int64_t first = inner.from * last.stride - last.pad_begin;
      x[k0 * d1.kernel + k1] =
          inside ? tile.x + ((i0 * d1.in + i1) * last.in + first) * d.channels() : nullptr;
    }
  }
  DepthwiseRows rows;
  rows.x = x;
  rows.rows = d.kernel_rows();
  rows.kernel = static_cast<int>(last.kernel);
  rows.stride = static_cast<int>(last.stride);
  rows.outputs = outputs;
  rows.x_step = rows.w_step = rows.y_step = d.channels();
  rows.w = tile.w;
  rows.channels = tile.channels;
  rows.positions = inner.to - inner.from;
  rows.bias = tile.bias;
  const DepthwiseTile at = tile_at(tile, inner.from);
  rows.y = at.y;
  rows.y_row_step = last.out * tile.y_step;
  rows.finish = at.finish;
  d.simd->depthwise_rows(rows);
}

/// `outputs` rows of one image from `row` on, the inner positions by rows of taps.
void depthwise_by_rows(const DepthwiseNode& d, const DepthwiseTile& tile, std::int64_t row,
                       int outputs) {
  const std::int64_t width = d.g.dims[2].out;
  const Inner inner = inner_positions(d.g.dims[2]);
  if (inner.from < inner.to) depthwise_inner(d, tile, row, outputs, inner);
  Taps taps;
  const auto single = [&](std::int64_t o) {
    depthwise_at(d, tile_at(tile, o), row * width + o, 1, taps);
  };
  for (std::int64_t r = 0; r < outputs; ++r) {
    for (std::int64_t o = 0; o < inner.from; ++o) single(r * width + o);
    for (std::int64_t o = inner.to; o < width; ++o) single(r * width + o);
  }
}

void depthwise(const DepthwiseNode& d, const Launch& l) {
  const ConvGeometry& g = d.g;
  const std::int64_t channels = d.channels();
  const float* weights = l.in<float>(1);
  if (!d.packed) {
    auto* own = reinterpret_cast<float*>(l.workspace);
    pack(d, weights, own);
    weights = own;
  }
  const std::int64_t width = g.dims[2].out;
  const std::int64_t rows = g.dims[0].out * g.dims[1].out;
  const std::int64_t wide = d.block_channels();
  const std::int64_t blocks = ceil_div(channels, wide);
  const int together = d.goes_by_pairs() ? 2 : 1;
  const std::int64_t steps = ceil_div(rows, together);
  const std::int64_t work = together * width * std::min(channels, wide) * g.kernel_size();
  const auto step = [&](std::int64_t i) {
    const std::int64_t row = i % steps * together;
    const int outputs = static_cast<int>(std::min<std::int64_t>(together, rows - row));
    const std::int64_t first = i / steps % blocks * wide;
    const std::int64_t image = i / steps / blocks;
    DepthwiseTile tile;
    tile.x = l.in<float>(0) + image * g.in_size() * channels + first;
    tile.x_step = g.dims[2].stride * channels;
    tile.w = weights + first;
    tile.channels = std::min(wide, channels - first);
    tile.bias = l.in<float>(2) == nullptr ? nullptr : l.in<float>(2) + first;
    tile.y = l.out<float>(0) + (image * rows + row) * width * channels + first;
    tile.y_step = channels;
    const float* residual = l.in<float>(kConvResidual);
    tile.finish =
        d.epilogue.tile(residual == nullptr ? nullptr : residual + (tile.y - l.out<float>(0)));
    if (d.goes_by_rows()) {
      depthwise_by_rows(d, tile, row, outputs);
    } else {
      depthwise_row(d, tile, row);
    }
    for (std::int64_t o = 0; o < outputs * width; ++o) {
      d.epilogue.apply(tile.y + o * tile.y_step, tile.channels);
    }
  };
  parallel_rows(*l.pool, g.batch * blocks * steps, work,
                [&](std::int64_t from, std::int64_t to, int) {
                  for (std::int64_t i = from; i < to; ++i) step(i);
                });
}

}  // namespace

KernelResult channels_last_depthwise(const CpuTarget& target, const ConvGeometry& geometry,
                                     const ConvEpilogue& epilogue, bool packed) {
  const DepthwiseNode d{target.simd, geometry, epilogue, packed};
  auto kernel = make_kernel("conv_depthwise_f32_nhwc", [d](const Launch& l) { depthwise(d, l); });
  kernel->set_workspace(packed ? 0 : d.weight_elements() * 4);
  if (packed) {
    kernel->set_packing(1, "f32_depthwise_nhwc", d.weight_elements() * 4,
                        packing_of_floats(d.weight_elements(), [d](const float* plain, float* out) {
                          pack(d, plain, out);
                        }));
  }
  return KernelResult(std::move(kernel));
}

}  // namespace polaris::cpu
