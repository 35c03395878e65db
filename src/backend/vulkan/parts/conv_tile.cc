#include "backend/vulkan/parts/conv_tile.h"

#include "backend/vulkan/parts/direct_conv.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kLanes = 64;
// So many input channels make four slices of them worth their sums.
constexpr std::int64_t kSlicedChannels = 16;
// Indices of kConvTiles.
constexpr std::size_t kSliced16 = 1;
constexpr std::size_t kDealt16 = 7;
constexpr std::size_t kDealt8 = 8;

/// Whether sixteen slices are. Each looks for all taps by itself, which for a transposed one is
/// more work.
bool deals(const ConvProblem& p) {
  return p.geometry.group_in >= (p.kind == ConvKind::kTransposed ? 128 : 64);
}

/// Indices of kConvTiles that may suit, those of one slice first.
std::vector<std::size_t> tiles_of(const ConvProblem& p) {
  const std::int64_t out = p.geometry.group_out;
  const bool sliced = p.geometry.group_in >= kSlicedChannels;
  const bool dealt = deals(p);
  std::vector<std::size_t> tiles;
  if (out >= 12) {
    tiles = sliced ? std::vector<std::size_t>{0, kSliced16, 2} : std::vector<std::size_t>{0, 2};
    if (dealt) tiles.insert(tiles.end(), {kDealt16, kDealt8});
  } else if (out > 4) {
    tiles = {2, 0};
    if (dealt) tiles.push_back(kDealt8);
  } else if (out > 1) {
    tiles = sliced ? std::vector<std::size_t>{3, 4} : std::vector<std::size_t>{3};
  } else {
    tiles = {5, 6};
  }
  return tiles;
}

std::int64_t waves(const ConvProblem& p, std::size_t tile) {
  return p.workgroups(kConvTiles[tile]) * kConvTiles[tile].threads / kLanes;
}

/// For twelve output channels or more: where few pixels leave few waves, more of them share the
/// input channels, and at last fewer output channels are one workgroup's.
std::size_t wide_tile(const ConvProblem& p, std::int64_t threads_max) {
  if (waves(p, 0) >= kConvWavesEnough || p.geometry.group_in < kSlicedChannels) return 0;
  if (waves(p, kSliced16) >= kConvWavesEnough || !deals(p) ||
      threads_max < kConvTiles[kDealt16].threads) {
    return kSliced16;
  }
  return waves(p, kDealt16) > kConvWavesEnough / 2 ? kDealt16 : kDealt8;
}

}  // namespace

std::int64_t ConvProblem::workgroups(const ConvTile& t) const {
  return ceil_div(pixels(), kLanes * t.pixels) * ceil_div(geometry.group_out, t.out) *
         geometry.groups * phases();
}

void choose_tile(ConvProblem& p, std::int64_t threads_max) {
  // Enough waves first, then reuse.
  const std::int64_t in = p.geometry.group_in;
  const std::int64_t out = p.geometry.group_out;
  p.step = in == 1 ? 1 : (p.last && in % 4 == 0 ? 4 : 2);
  const auto few = [&](std::size_t tile) { return waves(p, tile) < kConvWavesEnough; };
  std::size_t tile = 0;
  if (out >= 12) {
    tile = wide_tile(p, threads_max);
  } else if (out > 4) {
    const bool dealt = few(2) && deals(p);
    tile = dealt && threads_max >= kConvTiles[kDealt8].threads ? kDealt8 : 2;
  } else if (out > 1) {
    tile = few(3) && in >= kSlicedChannels ? 4 : 3;
  } else {
    tile = few(5) ? 6 : 5;
  }
  p.tile = kConvTiles[tile];
}

std::vector<ConvTile> fitting_tiles(const ConvProblem& p, std::int64_t threads_max) {
  std::vector<ConvTile> tiles = {p.tile};
  if (p.depthwise()) return tiles;
  const auto same = [&](const ConvTile& t) {
    return t.threads == p.tile.threads && t.out == p.tile.out && t.pixels == p.tile.pixels;
  };
  for (const std::size_t i : tiles_of(p)) {
    const ConvTile& tile = kConvTiles[i];
    if (!same(tile) && tile.threads <= threads_max) tiles.push_back(tile);
  }
  return tiles;
}

Result<KernelList> make_convs(const VulkanTarget& target, const NodeDesc& node,
                              const ConvProblem& p, const ConvPorts& ports,
                              const std::vector<std::uint32_t>& factors, std::int64_t y_zero) {
  KernelList out;
  for (const ConvTile& tile : fitting_tiles(p, target.group_threads_max)) {
    ConvProblem here = p;
    here.tile = tile;
    auto kernel = make_conv(target, node, here, ports, factors, y_zero);
    if (kernel) {
      out.push_back(kernel.take());
    } else if (out.empty()) {
      return kernel.error();
    }
  }
  return out;
}

std::string tile_text(const ConvTile& tile) {
  return std::to_string(tile.out) + "x" + std::to_string(tile.pixels * kLanes) + " of " +
         std::to_string(tile.threads) + " threads";
}

}  // namespace polaris::vulkan
