#include "backend/vulkan/parts/linear_tile.h"

#include <algorithm>

#include "base/checked.h"

namespace polaris::vulkan {
namespace {

/// Two groups a lane halve the loads of x, once that still leaves a wave for every SIMD.
constexpr std::int64_t kWavesEnough = 256;

std::int64_t groups_of(const LinearSize& size) { return ceil_div(size.n, kLinearRows); }

std::uint32_t columns_for(std::int64_t t, std::uint32_t most) {
  while (most > t) most /= 2;
  return most;
}

/// A row group of either matrix to a workgroup.
LinearTile gated_tile(const LinearSize& size, std::uint32_t threads) {
  const std::uint32_t columns = columns_for(size.t, 16);
  if (columns == 16 && groups_of(size) * ceil_div(size.t, 16) >= kWavesEnough) return {16, 2, 64};
  return {columns, 2, std::min(threads, stage_threads_max(true, columns))};
}

LinearTile plain_tile(const LinearSize& size, std::uint32_t threads) {
  if (size.t >= 16) {
    if (ceil_div(groups_of(size), 2) * ceil_div(size.t, 16) >= kWavesEnough) return {16, 2, 64};
    // Sums fill 32 KiB at most.
    return {16, 1, std::min(threads, size.stage ? stage_threads_max(false, 16) : 512u)};
  }
  const std::uint32_t columns = columns_for(size.t, 8);
  if (size.stage) threads = std::min(threads, stage_threads_max(false, columns));
  return {columns, 1, threads};
}

std::uint32_t row_columns(const LinearSize& size) { return size.gated ? 4 : 8; }

bool takes_rows(const LinearSize& size) {
  // Of more rows of x the weights would be read too often.
  return size.t <= 3 * row_columns(size) && size.k % linear_format_info(size.format).unit == 0;
}

/// As many threads as a large card takes at once, and at least two units of k for each.
LinearTile rows_tile(const VulkanTarget& target, const LinearSize& size) {
  constexpr std::int64_t kThreadsEnough = 1 << 16;
  LinearTile tile{columns_for(size.t, row_columns(size)), size.gated ? 2u : 1u, 64,
                  LinearShader::kRows};
  const std::int64_t units = size.k / linear_format_info(size.format).unit;
  const std::int64_t lanes = size.gated ? 16 : 8;  // that have the same units
  const std::int64_t wanted =
      std::clamp<std::int64_t>(kThreadsEnough / (2 * groups_of(size)), 256, 512);
  const std::int64_t most =
      std::min<std::int64_t>({wanted, units / 2 * lanes, target.group_threads_max});
  const std::uint32_t least = std::max(size.gated ? 128u : 64u, 32 * tile.columns);
  while (tile.threads < least || tile.threads * 2 <= most) tile.threads *= 2;
  return tile;
}

bool takes_shared_tile(const LinearSize& size) {
  return size.t >= kSharedTile.columns && size.k % 32 == 0 &&
         !linear_format_info(size.format).tile.empty();
}

}  // namespace

std::uint32_t stage_threads_max(bool gated, std::uint32_t columns) {
  return (gated ? 2048u : 4096u) / columns;
}

LinearTile choose_linear_tile(const VulkanTarget& target, const LinearSize& size) {
  // Narrower subgroups have no scalar unit to load x for a whole row group.
  if (target.subgroup_size < kLinearRows) {
    if (takes_shared_tile(size)) return kSharedTile;
    if (takes_rows(size)) return rows_tile(target, size);
  }
  const std::int64_t units = size.k / linear_format_info(size.format).unit;
  const std::uint32_t threads = gemv_threads(target, groups_of(size), units);
  return size.gated ? gated_tile(size, threads) : plain_tile(size, threads);
}

}  // namespace polaris::vulkan
