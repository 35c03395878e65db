#include "backend/vulkan/parts/conv_tile.h"

#include "backend/vulkan/parts/direct_conv.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kLanes = 64;
// So many input channels make four slices of them worth their sums.
constexpr std::int64_t kSlicedChannels = 16;

/// Indices of kConvTiles for so many output channels, those of one slice first.
std::vector<std::size_t> tiles_of(std::int64_t out, std::int64_t in) {
  const bool sliced = in >= kSlicedChannels;
  if (out >= 12) return sliced ? std::vector<std::size_t>{0, 1, 2} : std::vector<std::size_t>{0, 2};
  if (out > 4) return {2, 0};
  if (out > 1) return sliced ? std::vector<std::size_t>{3, 4} : std::vector<std::size_t>{3};
  return {5, 6};
}

}  // namespace

std::int64_t ConvProblem::workgroups(const ConvTile& t) const {
  return ceil_div(pixels(), kLanes * t.pixels) * ceil_div(geometry.group_out, t.out) *
         geometry.groups * phases();
}

void choose_tile(ConvProblem& p) {
  // Enough waves first, then reuse.
  const std::int64_t in = p.geometry.group_in;
  const std::int64_t out = p.geometry.group_out;
  p.step = in == 1 ? 1 : (p.last && in % 4 == 0 ? 4 : 2);
  const auto few = [&](int tile) { return p.workgroups(kConvTiles[tile]) < kConvWavesEnough; };
  if (out >= 12) {
    p.tile = kConvTiles[few(0) && in >= kSlicedChannels ? 1 : 0];
  } else if (out > 4) {
    p.tile = kConvTiles[2];
  } else if (out > 1) {
    p.tile = kConvTiles[few(3) && in >= kSlicedChannels ? 4 : 3];
  } else {
    p.tile = kConvTiles[few(5) ? 6 : 5];
  }
}

std::vector<ConvTile> fitting_tiles(const ConvProblem& p) {
  std::vector<ConvTile> tiles = {p.tile};
  if (p.depthwise()) return tiles;
  const auto same = [&](const ConvTile& t) {
    return t.threads == p.tile.threads && t.out == p.tile.out && t.pixels == p.tile.pixels;
  };
  for (const std::size_t i : tiles_of(p.geometry.group_out, p.geometry.group_in)) {
    if (!same(kConvTiles[i])) tiles.push_back(kConvTiles[i]);
  }
  return tiles;
}

Result<KernelList> make_convs(const VulkanTarget& target, const NodeDesc& node,
                              const ConvProblem& p, const ConvPorts& ports,
                              const std::vector<std::uint32_t>& factors, std::int64_t y_zero) {
  KernelList out;
  for (const ConvTile& tile : fitting_tiles(p)) {
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
