#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace polaris::vulkan {

struct ConvProblem;

/// What a workgroup of conv.comp computes: output channels, and pixels a lane.
struct ConvTile {
  std::uint32_t threads = 64;
  std::uint32_t out = 16;
  std::uint32_t pixels = 2;
};
/// Those that are shipped.
inline constexpr ConvTile kConvTiles[] = {{64, 16, 2}, {256, 16, 1},  {64, 8, 4},
                                          {64, 4, 4},  {256, 4, 1},   {64, 1, 4},
                                          {64, 1, 1},  {1024, 16, 1}, {1024, 8, 1}};
inline constexpr std::int64_t kConvWavesEnough = 576;  // for every SIMD of the largest card

/// Fills step and tile by the shapes alone, with workgroups of at most so many threads.
void choose_tile(ConvProblem& p, std::int64_t threads_max);
/// The tile that choose_tile took, then others that may be faster on some device; depthwise
/// convolutions, which have tiles of their own, have the one.
std::vector<ConvTile> fitting_tiles(const ConvProblem& p, std::int64_t threads_max);
/// "16x128 of 64 threads"
std::string tile_text(const ConvTile& tile);

}  // namespace polaris::vulkan
