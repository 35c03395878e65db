#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "backend/vulkan/kernel.h"
#include "backend/vulkan/parts/block_weights.h"

/// The weights that linear.comp multiplies with: its modules, what a unit of each is, how they are
/// packed, and how many threads a GEMV is given.
namespace polaris::vulkan {

enum class LinearFormat : std::uint8_t {
  kF32,
  kF16,
  kQ8_0,
  kQ4_0,
  kI8,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ4_K,
  kQ5_K,
  kQ6_K,
};

struct LinearFormatInfo {
  std::string_view name;
  std::string_view shader;
  std::int64_t unit;             // k of one unit
  std::int64_t unit_bytes;       // of 64 rows
  std::string_view stage = {};   // the shader with what stands around a product
  std::string_view routed = {};  // that of matrices chosen at run time; "": there is none
  std::string_view rows = {};    // few rows of x without a scalar unit
  std::string_view rows_stage = {};
  std::string_view tile = {};  // many of them; "": there is none
  std::string_view tile_stage = {};
};
/// By LinearFormat.
std::span<const LinearFormatInfo> linear_formats();
const LinearFormatInfo& linear_format_info(LinearFormat format);

/// The format of constant weights. Errors: unsupported.
Result<LinearFormat> linear_format_of(const NodeDesc& node, const TensorType& w);

/// Whether a weight is scale * code - minimum, both of them in the format's blocks.
bool has_minimum(LinearFormat format);
/// Where one row of x meets such weights, its sums over each unit wait in shared memory: so many.
inline constexpr std::uint32_t kLinearSumsMax = 1024;
bool shares_sums(LinearFormat format, std::uint32_t columns, std::int64_t units);

inline constexpr std::uint32_t kGemvThreads[] = {64, 128, 256, 512, 1024};
/// Threads of a GEMV: few row groups are dealt over more slices of k, so that a large card has
/// waves enough, as long as each slice has a few units.
std::uint32_t gemv_threads(const VulkanTarget& target, std::int64_t groups, std::int64_t units);

/// Where a matrix of plain elements stands in a tensor.
struct PlainMatrix {
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool transposed = false;  // [k, n]
  std::int64_t first = 0;   // element
};
/// Its elements as [group][unit][lane][unit's k]; sources wider or narrower than `format` (kF32 or
/// kF16) are rounded.
void pack_linear_elements(LinearFormat format, const PlainMatrix& m, const Tensor& weight,
                          std::byte* out);

}  // namespace polaris::vulkan
