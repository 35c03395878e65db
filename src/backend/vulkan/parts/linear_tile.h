#pragma once
#include <cstdint>

#include "backend/vulkan/parts/linear_format.h"

/// How a product is dealt to workgroups of linear.comp, linear_rows.comp or linear_tile.comp.
namespace polaris::vulkan {

enum class LinearShader : std::uint8_t {
  kWave,  // linear.comp: a row of w a lane
  kRows,  // linear_rows.comp: four, and half a row group a workgroup
  kTile,  // linear_tile.comp: through shared memory
};

struct LinearTile {
  std::uint32_t columns = 1;  // rows of x
  std::uint32_t groups = 1;   // row groups of w, a gate's counted for each of its matrices
  std::uint32_t threads = 64;
  LinearShader shader = LinearShader::kWave;
};

/// linear_tile.comp's one tile.
inline constexpr LinearTile kSharedTile = {64, 2, 128, LinearShader::kTile};

struct LinearSize {
  LinearFormat format = LinearFormat::kF32;
  std::int64_t t = 0;  // rows of x
  std::int64_t n = 0;  // rows of w
  std::int64_t k = 0;
  bool gated = false;  // two matrices
  bool stage = false;  // with what stands around a product
};

/// By the plan's sizes alone, so that a row of x comes out the same whatever stands in the others.
LinearTile choose_linear_tile(const VulkanTarget& target, const LinearSize& size);

/// Threads whose sums fill 16 KiB: what stands around a product needs some local memory too.
std::uint32_t stage_threads_max(bool gated, std::uint32_t columns);

}  // namespace polaris::vulkan
