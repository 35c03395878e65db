#include "tensor/block_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "tensor/half.h"

namespace polaris {
namespace {

constexpr std::int64_t kBlock = 32;
constexpr auto kInfos = [] {
  std::array<BlockFormatInfo, kBlockFormatCount> infos{};
  for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = block_info(static_cast<BlockFormat>(i));
  return infos;
}();

float read_scale(const std::byte* block) {
  std::uint16_t bits;
  std::memcpy(&bits, block, sizeof bits);
  return f16_to_f32(bits);
}

void write_scale(std::byte* block, float scale) {
  const std::uint16_t bits = f32_to_f16(scale);
  std::memcpy(block, &bits, sizeof bits);
}

void decode_q4_0(const std::byte* block, float* out) {
  const float d = read_scale(block);
  for (int i = 0; i < 16; ++i) {
    const int byte = static_cast<int>(block[2 + i]);
    out[i] = static_cast<float>((byte & 15) - 8) * d;
    out[i + 16] = static_cast<float>((byte >> 4) - 8) * d;
  }
}

void decode_q8_0(const std::byte* block, float* out) {
  const float d = read_scale(block);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * d;
  }
}

void encode_q4_0(const float* in, std::byte* block) {
  float peak = 0;  // the element of largest magnitude, with its sign, maps to -8
  for (int i = 0; i < kBlock; ++i) {
    if (std::fabs(in[i]) > std::fabs(peak)) peak = in[i];
  }
  const float d = peak / -8.0f;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  write_scale(block, d);
  const auto quantize = [&](float v) {
    return std::min(15, static_cast<int>(static_cast<std::int8_t>(v * inverse + 8.5f)));
  };
  for (int i = 0; i < 16; ++i) {
    block[2 + i] = static_cast<std::byte>(quantize(in[i]) | (quantize(in[i + 16]) << 4));
  }
}

void encode_q8_0(const float* in, std::byte* block) {
  float peak = 0;
  for (int i = 0; i < kBlock; ++i) peak = std::max(peak, std::fabs(in[i]));
  const float d = peak / 127.0f;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  write_scale(block, d);
  for (int i = 0; i < kBlock; ++i) {
    block[2 + i] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(in[i] * inverse)));
  }
}

using Decode = void (*)(const std::byte* block, float* out);
Decode decoder_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return decode_q4_0;
    case BlockFormat::kQ8_0: return decode_q8_0;
  }
  return nullptr;
}

using Encode = void (*)(const float* in, std::byte* block);
Encode encoder_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return encode_q4_0;
    case BlockFormat::kQ8_0: return encode_q8_0;
  }
  return nullptr;
}

}  // namespace

const BlockFormatInfo& block_format_info(BlockFormat format) {
  return kInfos[static_cast<std::size_t>(format)];
}

std::optional<BlockFormat> block_format_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kInfos.size(); ++i) {
    if (kInfos[i].name == name) return static_cast<BlockFormat>(i);
  }
  return std::nullopt;
}

void decode_blocks(BlockFormat format, const std::byte* blocks, std::int64_t elements, float* out) {
  const BlockFormatInfo info = block_format_info(format);
  const Decode decode = decoder_of(format);
  for (std::int64_t b = 0; b < elements / info.block_elements; ++b) {
    decode(blocks + b * info.block_bytes, out + b * info.block_elements);
  }
}

void encode_blocks(BlockFormat format, const float* in, std::int64_t elements, std::byte* blocks) {
  const BlockFormatInfo info = block_format_info(format);
  const Encode encode = encoder_of(format);
  for (std::int64_t b = 0; b < elements / info.block_elements; ++b) {
    encode(in + b * info.block_elements, blocks + b * info.block_bytes);
  }
}

}  // namespace polaris
