#include "backend/vulkan/parts/affine_blocks.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/block_format.h"
#include "tensor/element.h"
#include "tensor/half.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kBlock = 32;
constexpr int kMiddle = 8;

/// Whether float16 has the number, and not as a subnormal, which devices may flush.
bool is_half(double value) {
  const auto f = static_cast<float>(value);
  if (static_cast<double>(f) != value || !std::isfinite(f)) return false;
  const std::uint16_t half = f32_to_f16(f);
  return f16_to_f32(half) == f && (f == 0 || (half & 0x7C00) != 0);
}

/// What one scale of the matrix stands for: real = scale * code - minimum, codes from 0 to 15.
struct Scaled {
  double scale = 0;
  double zero = 0;
};
Scaled scaled_at(const Constant& weight, std::int64_t s) {
  const bool is_signed = weight.data.type().encoding.storage == DType::kI4;
  double zero = is_signed ? kMiddle : 0;
  if (weight.zero_point) zero += element_as_f64(weight.zero_point, s);
  return {element_as_f64(weight.scale, s), zero};
}

void put_half(std::byte* to, double value) {
  const std::uint16_t half = f32_to_f16(static_cast<float>(value));
  std::memcpy(to, &half, 2);
}

}  // namespace

std::optional<BlockFormat> blocks_of_affine(const Constant& weight) {
  const TensorType& type = weight.data.type();
  const Encoding& encoding = type.encoding;
  const bool nibbles = encoding.storage == DType::kU4 || encoding.storage == DType::kI4;
  if (encoding.kind != Encoding::Kind::kAffine || !nibbles || type.shape.rank() != 2 ||
      !weight.scale || encoding.axis != 1 || encoding.block < 1 || encoding.block % kBlock != 0 ||
      type.shape[1] % kBlock != 0) {
    return std::nullopt;
  }
  bool centred = true;
  for (std::int64_t s = 0; s < weight.scale.elements(); ++s) {
    const Scaled at = scaled_at(weight, s);
    if (!is_half(at.scale)) return std::nullopt;
    centred &= at.zero == kMiddle;
    if (!centred && !is_half(at.scale * at.zero)) return std::nullopt;
  }
  if (centred) return BlockFormat::kQ4_0;
  for (std::int64_t s = 0; s < weight.scale.elements(); ++s) {
    const Scaled at = scaled_at(weight, s);
    if (!is_half(at.scale * at.zero)) return std::nullopt;
  }
  return BlockFormat::kQ4_1;
}

std::vector<std::byte> affine_as_blocks(const Constant& weight, BlockFormat format) {
  const TensorType& type = weight.data.type();
  const std::int64_t n = type.shape[0];
  const std::int64_t k = type.shape[1];
  const std::int64_t block = type.encoding.block;
  const std::int64_t row_scales = (k + block - 1) / block;
  const BlockFormatInfo& info = block_format_info(format);
  // A scale, of q4_1 a minimum too, and then the codes.
  const std::int64_t header = info.block_bytes - kBlock / 2;
  const bool minimum = header > 2;
  const std::byte* from = weight.data.bytes().data();
  const std::byte flip{type.encoding.storage == DType::kI4 ? std::uint8_t{0x88} : std::uint8_t{0}};
  std::vector<std::byte> out(static_cast<std::size_t>(n * (k / kBlock) * info.block_bytes));
  std::byte* to = out.data();
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t at = 0; at < k; at += kBlock, to += info.block_bytes) {
      const Scaled scaled = scaled_at(weight, row * row_scales + at / block);
      put_half(to, scaled.scale);
      if (minimum) put_half(to + 2, -scaled.scale * scaled.zero);
      std::byte* codes = to + header;
      // Ours are side by side, a block's in halves.
      std::uint8_t all[kBlock];
      for (std::int64_t i = 0; i < kBlock; ++i) {
        const std::int64_t e = row * k + at + i;
        const auto byte = static_cast<unsigned>(from[e / 2] ^ flip);
        all[i] = static_cast<std::uint8_t>(byte >> (e % 2 * 4) & 15u);
      }
      for (std::int64_t i = 0; i < kBlock / 2; ++i) {
        codes[i] = static_cast<std::byte>(all[i] | all[i + kBlock / 2] << 4);
      }
    }
  }
  return out;
}

}  // namespace polaris::vulkan
