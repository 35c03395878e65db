#include "backend/cpu/quant_pack.h"

#include <cstring>

#include "backend/cpu/gemm.h"
#include "backend/cpu/simd/quant_layout.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "tensor/block_codes.h"
#include "tensor/block_format.h"
#include "tensor/element.h"
#include "tensor/half.h"

namespace polaris::cpu {
namespace {

using block::byte_at;

// Codes of a block, one a byte.

void codes_q8_0(const std::byte* from, std::uint8_t* out) { std::memcpy(out, from + 2, 32); }
template <int kFrom>
void codes_nibbles(const std::byte* from, std::uint8_t* out) {
  block::nibbles<16>(from + kFrom, out);
}
void codes_q5_0(const std::byte* from, std::uint8_t* out) {
  block::codes_q5(from + block::kQ50High, from + block::kQ50Codes, out);
}
void codes_q5_1(const std::byte* from, std::uint8_t* out) {
  block::codes_q5(from + block::kQ51High, from + block::kQ51Codes, out);
}
void codes_nvfp4(const std::byte* from, std::uint8_t* out) {
  for (int j = 0; j < 4; ++j) block::nibbles<8>(from + 4 + 8 * j, out + 16 * j);
}

// Scales of a block, as row r of a panel has them: `to` is where the panel has that block's.

void put_half(std::byte* to, std::int64_t r, const std::byte* half) {
  std::memcpy(to + 2 * r, half, 2);
}
void put_half(std::byte* to, std::int64_t r, float value) {
  const std::uint16_t half = f32_to_f16(value);
  std::memcpy(to + 2 * r, &half, 2);
}
template <class T>
void put_bytes(std::byte* to, std::int64_t r, const T* bytes, int count) {
  for (int i = 0; i < count; ++i) to[16 * i + r] = static_cast<std::byte>(bytes[i]);
}

template <int kAt>
void scale_at(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from + kAt);
}
void scales_and_min(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from);
  put_half(to + 32, r, from + block::kQ41Min);
}
void scales_mxfp4(const std::byte* from, std::byte* to, std::int64_t r) { to[r] = from[0]; }
void scales_nvfp4(const std::byte* from, std::byte* to, std::int64_t r) {
  // Four bits of mantissa: exact in float16.
  for (int j = 0; j < 4; ++j) put_half(to + 32 * j, r, block::half_e4m3(byte_at(from, j)));
}
void scales_q2_k(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from + block::kQ2Scale);
  put_half(to + 32, r, from + block::kQ2Min);
  put_bytes(to + 64, r, block::scales_q2_k(from), 16);
}
void scales_q3_k(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from + block::kQ3Scale);
  put_bytes(to + 32, r, block::scales_q3_k(from).data(), 16);
}
void scales_q4_k(const std::byte* from, std::byte* to, std::int64_t r) {
  const block::SixBits bits = block::scales_q4_k(from);
  put_half(to, r, from);
  put_half(to + 32, r, from + block::kQ4KMin);
  put_bytes(to + 64, r, bits.scales, 8);
  put_bytes(to + 192, r, bits.mins, 8);
}
void scales_q6_k(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from + block::kQ6Scale);
  put_bytes(to + 32, r, from + block::kQ6Scales, 16);
}
void scales_iq4_xs(const std::byte* from, std::byte* to, std::int64_t r) {
  put_half(to, r, from);
  put_bytes(to + 32, r, block::scales_iq4_xs(from).data(), 8);
}

/// How a format's blocks become a panel's.
struct Layout {
  int bits = 0;                   // of a code; 0: not packed
  std::int64_t elements = 0;      // that a record of scales is for
  std::int64_t record_bytes = 0;  // of 16 rows
  void (*codes)(const std::byte* from, std::uint8_t* out) = nullptr;
  void (*scales)(const std::byte* from, std::byte* to, std::int64_t r) = nullptr;
};
template <class S>
constexpr Layout layout_of(int bits, decltype(Layout::codes) codes, decltype(Layout::scales) put) {
  return {bits, S::kElements, S::kBytes, codes, put};
}

Layout layout(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return layout_of<ScaleHalf>(4, codes_nibbles<2>, scale_at<0>);
    case BlockFormat::kQ8_0: return layout_of<ScaleHalf>(8, codes_q8_0, scale_at<0>);
    case BlockFormat::kQ4_1: return layout_of<ScaleHalfMin>(4, codes_nibbles<4>, scales_and_min);
    case BlockFormat::kQ5_0: return layout_of<ScaleHalf>(5, codes_q5_0, scale_at<0>);
    case BlockFormat::kQ5_1: return layout_of<ScaleHalfMin>(5, codes_q5_1, scales_and_min);
    case BlockFormat::kQ2_K: return layout_of<ScaleSuper16Min>(2, block::codes_q2_k, scales_q2_k);
    case BlockFormat::kQ3_K: return layout_of<ScaleSuper16>(3, block::codes_q3_k, scales_q3_k);
    case BlockFormat::kQ4_K: return layout_of<ScaleSuper32Min>(4, block::codes_q4_k, scales_q4_k);
    case BlockFormat::kQ5_K: return layout_of<ScaleSuper32Min>(5, block::codes_q5_k, scales_q4_k);
    case BlockFormat::kQ6_K: return layout_of<ScaleSuper16>(6, block::codes_q6_k, scales_q6_k);
    case BlockFormat::kIQ4_NL: return layout_of<ScaleHalf>(4, codes_nibbles<2>, scale_at<0>);
    case BlockFormat::kIQ4_XS:
      return layout_of<ScaleSuper32>(4, block::codes_iq4_xs, scales_iq4_xs);
    case BlockFormat::kMXFP4: return layout_of<ScalePower>(4, codes_nibbles<1>, scales_mxfp4);
    case BlockFormat::kNVFP4: return layout_of<ScaleTwoHalves>(4, codes_nvfp4, scales_nvfp4);
    case BlockFormat::kTQ1_0: return layout_of<ScaleSuper>(2, block::codes_tq1_0, scale_at<52>);
    case BlockFormat::kTQ2_0: return layout_of<ScaleSuper>(2, block::codes_tq2_0, scale_at<64>);
    case BlockFormat::kIQ1_S:
    case BlockFormat::kIQ1_M:
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S:
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S: return {};
  }
  return {};
}

template <class S>
constexpr Layout affine_layout(int bits) {
  return {bits, S::kElements, S::kBytes, nullptr, nullptr};
}
Layout layout(PanelFormat format) {
  switch (format.affine) {
    case AffinePanels::kNone: break;
    case AffinePanels::kNibbles: return affine_layout<ScaleFloatMin>(4);
    case AffinePanels::kNibblesBy16: return affine_layout<ScaleTwoFloatsMin>(4);
    case AffinePanels::kBytes: return affine_layout<ScaleFloatMin>(8);
    case AffinePanels::kBytesBy16: return affine_layout<ScaleTwoFloatsMin>(8);
  }
  return layout(format.blocks);
}

/// Plane of kWide bits of 32 codes: its bytes, whose bits [kWide * t, kWide * (t + 1)) are those of
/// codes 4 kWide t and on.
template <int kWide>
void make_plane(const std::uint8_t* codes, int down, std::uint8_t* out) {
  constexpr int kBytes = 4 * kWide;
  constexpr unsigned kMask = (1u << kWide) - 1;
  for (int x = 0; x < kBytes; ++x) out[x] = 0;
  for (int t = 0; t < 8 / kWide; ++t) {
    for (int x = 0; x < kBytes; ++x) {
      const unsigned bits = (static_cast<unsigned>(codes[t * kBytes + x]) >> down) & kMask;
      out[x] = static_cast<std::uint8_t>(out[x] | bits << (kWide * t));
    }
  }
}

/// The planes of 32 codes one after the other, 4 * bits bytes.
void make_planes(int bits, const std::uint8_t* codes, std::uint8_t* out) {
  if (bits == 8) std::memcpy(out, codes, kQuantBlock);
  if (bits < 4) make_plane<2>(codes, 0, out);
  if (bits >= 4 && bits < 8) make_plane<4>(codes, 0, out);
  if (bits == 3) make_plane<1>(codes, 2, out + 8);
  if (bits == 5) make_plane<1>(codes, 4, out + 16);
  if (bits == 6) make_plane<2>(codes, 4, out + 16);
}

}  // namespace

AffinePanels affine_panels(const Constant& weight) {
  const TensorType& type = weight.data.type();
  const Encoding& encoding = type.encoding;
  if (encoding.kind != Encoding::Kind::kAffine || type.shape.rank() != 2 ||
      type.shape[1] % kQuantBlock != 0 || !weight.scale) {
    return AffinePanels::kNone;
  }
  const bool nibbles = encoding.storage == DType::kU4 || encoding.storage == DType::kI4;
  if (!nibbles && encoding.storage != DType::kU8 && encoding.storage != DType::kI8) {
    return AffinePanels::kNone;
  }
  const bool by_rows = encoding.axis < 0 || (encoding.axis == 0 && encoding.block == 0);
  if (!by_rows && encoding.axis != 1) return AffinePanels::kNone;
  if (by_rows && !nibbles) return AffinePanels::kNone;  // float32 panels, as exact as they come
  if (by_rows || (encoding.block > 0 && encoding.block % kQuantBlock == 0)) {
    return nibbles ? AffinePanels::kNibbles : AffinePanels::kBytes;
  }
  if (encoding.block != kQuantBlock / 2) return AffinePanels::kNone;
  return nibbles ? AffinePanels::kNibblesBy16 : AffinePanels::kBytesBy16;
}

std::string_view affine_panels_name(AffinePanels panels) {
  switch (panels) {
    case AffinePanels::kNone: break;
    case AffinePanels::kNibbles: return "affine4";
    case AffinePanels::kNibblesBy16: return "affine4_16";
    case AffinePanels::kBytes: return "affine8";
    case AffinePanels::kBytesBy16: return "affine8_16";
  }
  return "";
}

void affine_pack(AffinePanels panels, const Constant& weight, std::span<std::byte> out) {
  const PanelFormat format(panels);
  const Layout l = layout(format);
  if (l.elements == 0) return;  // affine_panels() says no
  const TensorType& type = weight.data.type();
  const DType storage = type.encoding.storage;
  const std::int64_t k = type.shape[1];
  const bool is_signed = storage == DType::kI4 || storage == DType::kI8;
  const int middle = is_signed ? 0 : 1 << (l.bits - 1);
  const auto* from = reinterpret_cast<const std::uint8_t*>(weight.data.bytes().data());
  const bool by_rows = type.encoding.axis < 1;
  const std::int64_t block = by_rows ? k : type.encoding.block;
  const std::int64_t row_scales = by_rows ? 1 : ceil_div(k, block);
  const int halves = l.record_bytes == ScaleTwoFloatsMin::kBytes ? 2 : 1;
  const std::int64_t scale_bytes = quant_scale_bytes(format, k);
  const std::int64_t panel_bytes = quant_panel_bytes(format, k);
  clear_bytes(out.data(), out.size());
  for (std::int64_t row = 0; row < type.shape[0]; ++row) {
    std::byte* scales = out.data() + row / kPanel * panel_bytes;
    std::byte* codes = scales + scale_bytes + row % kPanel * 4;
    for (std::int64_t at = 0; at < k; at += kQuantBlock, codes += code_bytes(l.bits)) {
      for (int h = 0; h < halves; ++h, scales += ScaleFloatMin::kBytes) {
        const std::int64_t s =
            type.encoding.axis < 0 ? 0 : row * row_scales + (at + h * kQuantBlock / halves) / block;
        const auto scale = static_cast<float>(element_as_f64(weight.scale, s));
        double zero = -middle;
        if (weight.zero_point) zero += element_as_f64(weight.zero_point, s);
        const auto minimum = static_cast<float>(static_cast<double>(scale) * zero);
        std::memcpy(scales + row % kPanel * 4, &scale, 4);
        std::memcpy(scales + 64 + row % kPanel * 4, &minimum, 4);
      }
      std::uint8_t all[kQuantBlock];
      const std::int64_t first = row * k + at;  // a multiple of 32
      for (int i = 0; i < kQuantBlock; ++i) {
        const std::int64_t e = first + i;
        // Nibbles are 0 to 15 in panels, and bytes signed.
        const unsigned code = l.bits == 8 ? from[e] : from[e / 2] >> (e % 2 * 4) & 15u;
        const unsigned turned = is_signed == (l.bits == 8) ? code : code ^ (1u << (l.bits - 1));
        all[i] = static_cast<std::uint8_t>(turned);
      }
      std::uint8_t planes[kQuantBlock];
      make_planes(l.bits, all, planes);
      for (int v = 0; v < l.bits; ++v) std::memcpy(codes + 64 * v, planes + 4 * v, 4);
    }
  }
}

bool quant_packs(PanelFormat format) { return layout(format).bits != 0; }

std::int64_t quant_scale_bytes(PanelFormat format, std::int64_t k) {
  const Layout l = layout(format);
  return l.bits == 0 ? 0 : round_up(k / l.elements * l.record_bytes, 64);
}
std::int64_t quant_code_bytes(PanelFormat format) { return code_bytes(layout(format).bits); }
std::int64_t quant_panel_bytes(PanelFormat format, std::int64_t k) {
  return quant_scale_bytes(format, k) + k / kQuantBlock * quant_code_bytes(format);
}
std::int64_t quant_packed_bytes(PanelFormat format, std::int64_t n, std::int64_t k) {
  return packed_panels(n) * quant_panel_bytes(format, k);
}

void quant_pack(BlockFormat format, std::int64_t n, std::int64_t k, const std::byte* from,
                std::span<std::byte> out) {
  const Layout l = layout(format);
  if (l.elements == 0) return;  // quant_packs() says no
  const BlockFormatInfo& info = block_format_info(format);
  const std::int64_t scale_bytes = quant_scale_bytes(format, k);
  const std::int64_t panel_bytes = quant_panel_bytes(format, k);
  if (n % kPanel != 0 || scale_bytes != k / l.elements * l.record_bytes) {
    clear_bytes(out.data(), out.size());
  }
  const std::int64_t records = info.block_elements / l.elements;
  for (std::int64_t row = 0; row < n; ++row) {
    std::byte* scales = out.data() + row / kPanel * panel_bytes;
    std::byte* codes = scales + scale_bytes + row % kPanel * 4;
    for (std::int64_t at = 0; at < k; at += info.block_elements, from += info.block_bytes) {
      l.scales(from, scales, row % kPanel);
      scales += records * l.record_bytes;
      std::uint8_t all[kBlockElementsMax];
      l.codes(from, all);
      for (std::int64_t i = 0; i < info.block_elements; i += kQuantBlock) {
        std::uint8_t planes[kQuantBlock];
        make_planes(l.bits, all + i, planes);
        for (int v = 0; v < l.bits; ++v) std::memcpy(codes + 64 * v, planes + 4 * v, 4);
        codes += code_bytes(l.bits);
      }
    }
  }
}

}  // namespace polaris::cpu
