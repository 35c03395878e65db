#include "tensor/block_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>

#include "tensor/block_decode.h"
#include "tensor/half.h"

namespace polaris {
namespace {

constexpr std::int64_t kBlock = 32;
constexpr auto kInfos = [] {
  std::array<BlockFormatInfo, kBlockFormatCount> infos{};
  for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = block_info(static_cast<BlockFormat>(i));
  return infos;
}();

void write_scale(std::byte* block, float scale) {
  const std::uint16_t bits = f32_to_f16(scale);
  std::memcpy(block, &bits, sizeof bits);
}

/// The code of what is no number, or past all codes where the scale has no inverse, is some code:
/// to cast it would be undefined.
int code_of(float scaled, float most) {
  return scaled >= 0 ? static_cast<int>(std::min(scaled, most)) : 0;
}
std::int8_t signed_code_of(float scaled) {
  const float rounded = std::round(scaled);
  return std::fabs(rounded) <= 127.0f ? static_cast<std::int8_t>(rounded) : std::int8_t{0};
}

void encode_q4_0(const float* in, std::byte* block) {
  float peak = 0;  // the element of largest magnitude, with its sign, maps to -8
  for (int i = 0; i < kBlock; ++i) {
    if (std::fabs(in[i]) > std::fabs(peak)) peak = in[i];
  }
  const float d = peak / -8.0f;
  const float inverse = d != 0 ? 1.0f / d : 0.0f;
  write_scale(block, d);
  const auto quantize = [&](float v) { return code_of(v * inverse + 8.5f, 15.0f); };
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
    block[2 + i] = static_cast<std::byte>(signed_code_of(in[i] * inverse));
  }
}

using Decode = void (*)(const std::byte* block, float* out);
Decode decoder_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return block::decode_q4_0;
    case BlockFormat::kQ8_0: return block::decode_q8_0;
    case BlockFormat::kQ4_1: return block::decode_q4_1;
    case BlockFormat::kQ5_0: return block::decode_q5_0;
    case BlockFormat::kQ5_1: return block::decode_q5_1;
    case BlockFormat::kQ2_K: return block::decode_q2_k;
    case BlockFormat::kQ3_K: return block::decode_q3_k;
    case BlockFormat::kQ4_K: return block::decode_q4_k;
    case BlockFormat::kQ5_K: return block::decode_q5_k;
    case BlockFormat::kQ6_K: return block::decode_q6_k;
    case BlockFormat::kIQ4_NL: return block::decode_iq4_nl;
    case BlockFormat::kIQ4_XS: return block::decode_iq4_xs;
    case BlockFormat::kMXFP4: return block::decode_mxfp4;
    case BlockFormat::kNVFP4: return block::decode_nvfp4;
    case BlockFormat::kTQ1_0: return block::decode_tq1_0;
    case BlockFormat::kTQ2_0: return block::decode_tq2_0;
    case BlockFormat::kIQ1_S: return block::decode_iq1_s;
    case BlockFormat::kIQ1_M: return block::decode_iq1_m;
    case BlockFormat::kIQ2_XXS: return block::decode_iq2_xxs;
    case BlockFormat::kIQ2_XS: return block::decode_iq2_xs;
    case BlockFormat::kIQ2_S: return block::decode_iq2_s;
    case BlockFormat::kIQ3_XXS: return block::decode_iq3_xxs;
    case BlockFormat::kIQ3_S: return block::decode_iq3_s;
  }
  return nullptr;
}

using Encode = void (*)(const float* in, std::byte* block);
struct Encoder {
  BlockFormat format;
  Encode encode;
};
constexpr Encoder kEncoders[] = {{BlockFormat::kQ4_0, encode_q4_0},
                                 {BlockFormat::kQ8_0, encode_q8_0}};
/// Null where nothing writes the format.
Encode encoder_of(BlockFormat format) {
  const auto* row = std::find_if(std::begin(kEncoders), std::end(kEncoders),
                                 [&](const Encoder& e) { return e.format == format; });
  return row == std::end(kEncoders) ? nullptr : row->encode;
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

bool encodes(BlockFormat format) { return encoder_of(format) != nullptr; }

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
