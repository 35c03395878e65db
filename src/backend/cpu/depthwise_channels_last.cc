#include "backend/cpu/depthwise_channels_last.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/weights.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTapsMax = 64;  // of one tile
// Channels that pass over a row of positions at a time: their taps stay in a first-level cache.
constexpr std::int64_t kChannels = 128;

struct DepthwiseNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
  ConvEpilogue epilogue;
  bool packed = false;

  std::int64_t channels() const { return g.groups; }
  std::int64_t weight_elements() const { return g.groups * g.kernel_size(); }
};

/// [C][1][kernel] as [kernel][C].
void pack(const DepthwiseNode& d, const float* w, float* out) {
  const std::int64_t taps = d.g.kernel_size();
  for (std::int64_t m = 0; m < d.channels(); ++m) {
    for (std::int64_t k = 0; k < taps; ++k) out[k * d.channels() + m] = w[m * taps + k];
  }
}

/// Positions along the last dim whose taps there all lie in the input.
struct Inner {
  std::int64_t from = 0;
  std::int64_t to = 0;
};
Inner inner_positions(const WindowDim& d) {
  const std::int64_t reach = (d.kernel - 1) * d.dilation;
  const std::int64_t from = std::min(d.out, ceil_div(d.pad_begin, d.stride));
  const std::int64_t room = d.in - 1 - reach + d.pad_begin;  // the last first tap
  const std::int64_t to = room < 0 ? 0 : std::min(d.out, room / d.stride + 1);
  return {from, std::max(from, to)};
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
    DepthwiseTile at = tile;
    at.y += o * tile.y_step;
    if (at.finish.add != nullptr) at.finish.add += o * tile.y_step;
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
  for (std::int64_t o = 0; o < last.out; ++o) {
    d.epilogue.apply(tile.y + o * tile.y_step, tile.channels);
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
  const std::int64_t blocks = ceil_div(channels, kChannels);
  const std::int64_t work = width * std::min(channels, kChannels) * g.kernel_size();
  parallel_rows(*l.pool, g.batch * blocks * rows, work,
                [&](std::int64_t from, std::int64_t to, int) {
                  for (std::int64_t i = from; i < to; ++i) {
                    const std::int64_t row = i % rows;
                    const std::int64_t first = i / rows % blocks * kChannels;
                    const std::int64_t image = i / rows / blocks;
                    DepthwiseTile tile;
                    tile.x = l.in<float>(0) + image * g.in_size() * channels + first;
                    tile.x_step = g.dims[2].stride * channels;
                    tile.w = weights + first;
                    tile.channels = std::min(kChannels, channels - first);
                    tile.bias = l.in<float>(2) == nullptr ? nullptr : l.in<float>(2) + first;
                    tile.y = l.out<float>(0) + (image * rows + row) * width * channels + first;
                    tile.y_step = channels;
                    const float* residual = l.in<float>(kConvResidual);
                    tile.finish = d.epilogue.tile(
                        residual == nullptr ? nullptr : residual + (tile.y - l.out<float>(0)));
                    depthwise_row(d, tile, row);
                  }
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
                        [d](const Constant& weight, std::span<std::byte> out) {
                          std::vector<float> plain(static_cast<std::size_t>(d.weight_elements()));
                          decode_constant(weight, 0, d.weight_elements(), plain.data());
                          pack(d, plain.data(), reinterpret_cast<float*>(out.data()));
                          return Status::success();
                        });
  }
  return KernelResult(std::move(kernel));
}

}  // namespace polaris::cpu
