#include "support/random_blocks.h"

#include <bit>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/block_format.h"
#include "tensor/half.h"

namespace polaris::test {
namespace {

/// The scales of a block: where they are and how large, -1 for what is no float16.
struct Scale {
  int at;
  float value;
};

std::vector<Scale> scales_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return {{0, 1.0f / 8}};
    case BlockFormat::kQ8_0: return {{0, 1.0f / 127}};
    case BlockFormat::kQ4_1: return {{0, 2.0f / 15}, {2, -1}};
    case BlockFormat::kQ5_0: return {{0, 1.0f / 16}};
    case BlockFormat::kQ5_1: return {{0, 2.0f / 31}, {2, -1}};
    case BlockFormat::kQ2_K: return {{80, 1.0f / 22}, {82, 1.0f / 15}};
    case BlockFormat::kQ3_K: return {{108, 1.0f / 100}};
    case BlockFormat::kQ4_K: return {{0, 2.0f / 945}, {2, 1.0f / 63}};
    case BlockFormat::kQ5_K: return {{0, 2.0f / 1953}, {2, 1.0f / 63}};
    case BlockFormat::kQ6_K: return {{208, 1.0f / 4096}};
    case BlockFormat::kIQ4_NL: return {{0, 1.0f / 127}};
    case BlockFormat::kIQ4_XS: return {{0, 1.0f / 4064}};
    case BlockFormat::kMXFP4:
    case BlockFormat::kNVFP4:
    case BlockFormat::kIQ1_M: return {};
    case BlockFormat::kTQ1_0: return {{52, 1}};
    case BlockFormat::kTQ2_0: return {{64, 1}};
    case BlockFormat::kIQ1_S: return {{0, 1.0f / 16}};
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S: return {{0, 1.0f / 160}};
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S: return {{0, 1.0f / 470}};
  }
  return {};
}

std::byte low(std::uint32_t bits) { return static_cast<std::byte>(bits & 255u); }

void set_scales(BlockFormat format, std::mt19937& random, std::byte* block) {
  std::uniform_real_distribution<float> factor(0.5f, 1.0f);
  for (const Scale& scale : scales_of(format)) {
    const std::uint16_t half = f32_to_f16(scale.value * factor(random));
    std::memcpy(block + scale.at, &half, 2);
  }
  switch (format) {
    case BlockFormat::kMXFP4: block[0] = low(123 + random() % 2); break;
    case BlockFormat::kNVFP4:
      for (int i = 0; i < 4; ++i) block[i] = low(0x18 + random() % 16);
      break;
    case BlockFormat::kIQ1_M: {
      const std::uint32_t half = f32_to_f16(factor(random) / 16);
      for (int i = 0; i < 4; ++i) {
        std::byte& byte = block[48 + 2 * i + 1];
        byte = (byte & std::byte{15}) | low(((half >> (4 * i)) & 15u) << 4);
      }
      break;
    }
    default: break;
  }
}

}  // namespace

std::vector<BlockFormat> all_block_formats() {
  std::vector<BlockFormat> out;
  for (int i = 0; i < kBlockFormatCount; ++i) out.push_back(static_cast<BlockFormat>(i));
  return out;
}

void fill_blocks(BlockFormat format, const float* like, std::int64_t elements, std::byte* out) {
  if (encodes(format)) {
    encode_blocks(format, like, elements, out);
    return;
  }
  std::mt19937 random(elements > 0 ? std::bit_cast<std::uint32_t>(like[0]) : 1u);
  const BlockFormatInfo& info = block_format_info(format);
  for (std::int64_t b = 0; b < elements / info.block_elements; ++b, out += info.block_bytes) {
    for (std::int64_t i = 0; i < info.block_bytes; ++i) out[i] = low(random() >> 8);
    set_scales(format, random, out);
  }
}

}  // namespace polaris::test
