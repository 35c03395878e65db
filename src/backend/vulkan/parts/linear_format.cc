#include "backend/vulkan/parts/linear_format.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "backend/vulkan/parts/block_shaders.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "tensor/element.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kRows = kLinearRows;

constexpr LinearFormatInfo block_row(BlockFormat format) {
  const BlockShaders shaders = block_shaders(format);
  return {block_info(format).name,
          shaders.linear,
          kLinearUnit,
          linear_unit_bytes(format),
          shaders.linear_stage,
          shaders.linear_routed,
          shaders.linear_rows,
          shaders.linear_rows_stage,
          shaders.linear_tile,
          shaders.linear_tile_stage};
}
constexpr LinearFormatInfo kFormats[] = {
    {"f32", "linear.f32", 4, kRows * 16, "linear.f32_stage", "linear.f32_routed", "linear_rows.f32",
     "linear_rows.f32_stage", "linear_tile.f32", "linear_tile.f32_stage"},
    {"f16", "linear.f16", 8, kRows * 16, "linear.f16_stage", "linear.f16_routed", "linear_rows.f16",
     "linear_rows.f16_stage", "linear_tile.f16", "linear_tile.f16_stage"},
    block_row(BlockFormat::kQ8_0),
    block_row(BlockFormat::kQ4_0),
    {"i8", "linear.i8", 32, kRows * 32, "linear.i8_stage", "", "linear_rows.i8",
     "linear_rows.i8_stage"},
    block_row(BlockFormat::kQ4_1),
    block_row(BlockFormat::kQ5_0),
    block_row(BlockFormat::kQ5_1),
    block_row(BlockFormat::kQ4_K),
    block_row(BlockFormat::kQ5_K),
    block_row(BlockFormat::kQ6_K),
};
static_assert(std::size(kFormats) == static_cast<std::size_t>(LinearFormat::kQ6_K) + 1);

}  // namespace

std::span<const LinearFormatInfo> linear_formats() { return kFormats; }

const LinearFormatInfo& linear_format_info(LinearFormat format) {
  return kFormats[static_cast<int>(format)];
}

Result<LinearFormat> linear_format_of(const NodeDesc& node, const TensorType& w) {
  if (w.encoding.is_block()) {
    const std::string_view shader = block_shaders(w.encoding.format).linear;
    const auto* row =
        std::find_if(std::begin(kFormats), std::end(kFormats),
                     [&](const LinearFormatInfo& info) { return info.shader == shader; });
    if (row != std::end(kFormats)) return static_cast<LinearFormat>(row - kFormats);
    return refuse(node, "weights of " + std::string(block_format_info(w.encoding.format).name));
  }
  if (!w.encoding.is_plain()) return LinearFormat::kI8;
  if (w.dtype == DType::kF16) return LinearFormat::kF16;
  if (w.dtype == DType::kF32 || w.dtype == DType::kBF16) return LinearFormat::kF32;
  return refuse(node, "weights of this type, wanted float16, bfloat16 or float32");
}

bool has_minimum(LinearFormat format) {
  switch (format) {
    case LinearFormat::kQ4_1:
    case LinearFormat::kQ5_1:
    case LinearFormat::kQ4_K:
    case LinearFormat::kQ5_K: return true;
    case LinearFormat::kF32:
    case LinearFormat::kF16:
    case LinearFormat::kQ8_0:
    case LinearFormat::kQ4_0:
    case LinearFormat::kI8:
    case LinearFormat::kQ5_0:
    case LinearFormat::kQ6_K: return false;
  }
  return false;
}

bool shares_sums(LinearFormat format, std::uint32_t columns, std::int64_t units) {
  return has_minimum(format) && columns == 1 && units <= kLinearSumsMax;
}

std::uint32_t gemv_threads(const VulkanTarget& target, std::int64_t groups, std::int64_t units) {
  constexpr std::int64_t kWavesEnough = 4096;
  constexpr std::int64_t kUnitsEnough = 8;
  std::int64_t most = std::clamp<std::int64_t>(kWavesEnough / groups, 4, 16);
  most = std::min(most, std::max<std::int64_t>(units / kUnitsEnough, 1));
  std::uint32_t threads = 64;
  while (threads * 2 <= most * 64 && threads * 2 <= target.group_threads_max) threads *= 2;
  return threads;
}

void pack_linear_elements(LinearFormat format, const PlainMatrix& m, const Tensor& weight,
                          std::byte* out) {
  const LinearFormatInfo& info = linear_format_info(format);
  const std::int64_t units = ceil_div(m.k, info.unit);
  const std::int64_t bytes = format == LinearFormat::kF32 ? 4 : 2;
  const bool same =
      width_of(weight.dtype()) == ElementWidth(bytes) && weight.dtype() != DType::kBF16;
  const std::byte* from = weight.bytes().data();
  for (std::int64_t row = 0; row < m.n; ++row) {
    for (std::int64_t k = 0; k < m.k; ++k) {
      const std::int64_t at = m.first + (m.transposed ? k * m.n + row : row * m.k + k);
      std::byte* to = out + (row / kRows * units + k / info.unit) * info.unit_bytes +
                      row % kRows * 16 + k % info.unit * bytes;
      if (same) {
        copy_bytes(to, from + at * bytes, static_cast<std::size_t>(bytes));
      } else {
        const auto value = static_cast<float>(load_f64(weight.dtype(), from, at));
        std::memcpy(to, &value, sizeof value);
      }
    }
  }
}

}  // namespace polaris::vulkan
