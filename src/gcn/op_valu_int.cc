#include <bit>

#include "gcn/valu.h"

/// Vector integer arithmetic of 32 bits and less. Facts: reference guide, chapter 12.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

constexpr S32 s(U32 x) { return static_cast<S32>(x); }
constexpr U32 u(S32 x) { return static_cast<U32>(x); }
constexpr U32 low24(U32 x) { return x & 0xFFFFFF; }
constexpr S32 signed24(U32 x) { return s(x << 8) >> 8; }

/// Saturation is known of sums and differences only.
void plain(Wave& w, const Instruction& in) {
  if (in.clamp) w.fault(in, FaultKind::kUnsupported, "clamp");
}

template <auto F>
void one(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i]);
  plain(w, in);
  w.store(in, out);
}

template <auto F>
void two(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i], b.at[i]);
  plain(w, in);
  w.store(in, out);
}

template <auto F>
void three(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes sc;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  const Lanes& c = w.fetch(in, 2, sc);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i], b.at[i], c.at[i]);
  plain(w, in);
  w.store(in, out);
}

/// Sum or difference with a carry out: F(a, b, carry in) gives 33 bits, the top one the carry.
/// A clamped sum stays at the largest number, a clamped difference at 0.
template <auto F, bool CarryIn, bool Sum>
void carry(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const U64 carries = CarryIn ? w.mask_source(in) : 0;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  std::uint8_t top[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const U32 c = CarryIn ? static_cast<U32>((carries >> i) & 1) : 0;
    const U64 r = F(U64{a.at[i]}, U64{b.at[i]}, U64{c});
    top[i] = static_cast<std::uint8_t>((r >> 32) & 1);
    out.at[i] = in.clamp && top[i] != 0 ? (Sum ? ~0U : 0U) : static_cast<U32>(r);
  }
  w.store(in, out);
  w.store_mask(in, pack_mask(top));
}

constexpr auto add = [](U64 a, U64 b, U64 c) { return a + b + c; };
constexpr auto sub = [](U64 a, U64 b, U64 c) { return a - b - c; };
constexpr auto subrev = [](U64 a, U64 b, U64 c) { return b - a - c; };

constexpr auto not_ = [](U32 a) { return ~a; };
constexpr auto bfrev = [](U32 a) {
  a = ((a >> 1) & 0x55555555) | ((a & 0x55555555) << 1);
  a = ((a >> 2) & 0x33333333) | ((a & 0x33333333) << 2);
  a = ((a >> 4) & 0x0F0F0F0F) | ((a & 0x0F0F0F0F) << 4);
  a = ((a >> 8) & 0x00FF00FF) | ((a & 0x00FF00FF) << 8);
  return a >> 16 | a << 16;
};
constexpr auto ffbh_u32 = [](U32 a) { return a == 0 ? ~0U : u(std::countl_zero(a)); };
constexpr auto ffbl = [](U32 a) { return a == 0 ? ~0U : u(std::countr_zero(a)); };
constexpr auto ffbh_i32 = [](U32 a) {
  const U32 x = s(a) < 0 ? ~a : a;
  return x == 0 ? ~0U : u(std::countl_zero(x));
};

constexpr auto mul_i24 = [](U32 a, U32 b) { return u(signed24(a)) * u(signed24(b)); };
constexpr auto mul_hi_i24 = [](U32 a, U32 b) {
  return static_cast<U32>((S64{signed24(a)} * signed24(b)) >> 32);
};
constexpr auto mul_u24 = [](U32 a, U32 b) { return low24(a) * low24(b); };
constexpr auto mul_hi_u24 = [](U32 a, U32 b) {
  return static_cast<U32>((U64{low24(a)} * low24(b)) >> 32);
};
constexpr auto mul_lo = [](U32 a, U32 b) { return a * b; };
constexpr auto mul_hi_u = [](U32 a, U32 b) { return static_cast<U32>((U64{a} * b) >> 32); };
constexpr auto mul_hi_i = [](U32 a, U32 b) { return static_cast<U32>((S64{s(a)} * s(b)) >> 32); };
constexpr auto min_i = [](U32 a, U32 b) { return s(a) < s(b) ? a : b; };
constexpr auto max_i = [](U32 a, U32 b) { return s(a) > s(b) ? a : b; };
constexpr auto min_u = [](U32 a, U32 b) { return a < b ? a : b; };
constexpr auto max_u = [](U32 a, U32 b) { return a > b ? a : b; };
constexpr auto lshrrev = [](U32 a, U32 b) { return b >> (a & 31); };
constexpr auto ashrrev = [](U32 a, U32 b) { return u(s(b) >> (a & 31)); };
constexpr auto lshlrev = [](U32 a, U32 b) { return b << (a & 31); };
constexpr auto and_ = [](U32 a, U32 b) { return a & b; };
constexpr auto or_ = [](U32 a, U32 b) { return a | b; };
constexpr auto xor_ = [](U32 a, U32 b) { return a ^ b; };
constexpr auto bfm = [](U32 a, U32 b) { return ((1U << (a & 31)) - 1) << (b & 31); };
constexpr auto bcnt = [](U32 a, U32 b) { return u(std::popcount(a)) + b; };

// 16-bit results leave zeros above on this generation.
constexpr U32 low16(U32 x) { return x & 0xFFFF; }
constexpr S32 short_of(U32 x) { return static_cast<std::int16_t>(x); }
constexpr auto add16 = [](U32 a, U32 b) { return low16(a + b); };
constexpr auto sub16 = [](U32 a, U32 b) { return low16(a - b); };
constexpr auto subrev16 = [](U32 a, U32 b) { return low16(b - a); };
constexpr auto mul_lo16 = [](U32 a, U32 b) { return low16(low16(a) * low16(b)); };
constexpr auto lshlrev16 = [](U32 a, U32 b) { return low16(b << (a & 15)); };
constexpr auto lshrrev16 = [](U32 a, U32 b) { return low16(b) >> (a & 15); };
constexpr auto ashrrev16 = [](U32 a, U32 b) { return low16(u(short_of(b) >> (a & 15))); };
constexpr auto max_u16 = [](U32 a, U32 b) { return max_u(low16(a), low16(b)); };
constexpr auto min_u16 = [](U32 a, U32 b) { return min_u(low16(a), low16(b)); };
constexpr auto max_i16 = [](U32 a, U32 b) { return low16(short_of(a) > short_of(b) ? a : b); };
constexpr auto min_i16 = [](U32 a, U32 b) { return low16(short_of(a) < short_of(b) ? a : b); };
constexpr auto pk_u16_u32 = [](U32 a, U32 b) { return min_u(a, 65535) | min_u(b, 65535) << 16; };
constexpr S32 clamp16(U32 x) { return s(x) < -32768 ? -32768 : s(x) > 32767 ? 32767 : s(x); }
constexpr auto pk_i16_i32 = [](U32 a, U32 b) { return low16(u(clamp16(a))) | u(clamp16(b)) << 16; };

constexpr auto mad_i24 = [](U32 a, U32 b, U32 c) { return mul_i24(a, b) + c; };
constexpr auto mad_u24 = [](U32 a, U32 b, U32 c) { return mul_u24(a, b) + c; };
constexpr auto mad16 = [](U32 a, U32 b, U32 c) { return low16(low16(a) * low16(b) + c); };
constexpr auto bfe_u = [](U32 a, U32 b, U32 c) {
  const U32 width = c & 31;
  return (a >> (b & 31)) & ((1U << width) - 1);
};
constexpr auto bfe_i = [](U32 a, U32 b, U32 c) {
  const U32 width = c & 31;
  const U32 offset = b & 31;
  if (width == 0) return 0U;
  if (offset + width >= 32) return u(s(a) >> offset);
  return u(s(a << (32 - offset - width)) >> (32 - width));
};
constexpr auto bfi = [](U32 a, U32 b, U32 c) { return (a & b) | (~a & c); };
constexpr auto alignbit = [](U32 a, U32 b, U32 c) {
  return static_cast<U32>((U64{a} << 32 | b) >> (c & 31));
};
constexpr auto alignbyte = [](U32 a, U32 b, U32 c) {
  return static_cast<U32>((U64{a} << 32 | b) >> (8 * (c & 3)));
};
constexpr auto min3_i = [](U32 a, U32 b, U32 c) { return min_i(min_i(a, b), c); };
constexpr auto max3_i = [](U32 a, U32 b, U32 c) { return max_i(max_i(a, b), c); };
constexpr auto min3_u = [](U32 a, U32 b, U32 c) { return min_u(min_u(a, b), c); };
constexpr auto max3_u = [](U32 a, U32 b, U32 c) { return max_u(max_u(a, b), c); };
constexpr auto med3_i = [](U32 a, U32 b, U32 c) {
  return max_i(min_i(a, b), min_i(max_i(a, b), c));
};
constexpr auto med3_u = [](U32 a, U32 b, U32 c) {
  return max_u(min_u(a, b), min_u(max_u(a, b), c));
};
constexpr auto sad_u32 = [](U32 a, U32 b, U32 c) { return (a > b ? a - b : b - a) + c; };
constexpr U32 byte_of(U64 bytes, U32 selector) {
  if (selector <= 7) return static_cast<U32>(bytes >> (8 * selector)) & 0xFF;
  if (selector <= 11) return ((bytes >> (16 * (selector - 8) + 15)) & 1) != 0 ? 0xFF : 0;
  return selector == 12 ? 0 : 0xFF;
}
constexpr auto perm = [](U32 a, U32 b, U32 c) {
  const U64 bytes = U64{a} << 32 | b;
  U32 out = 0;
  for (int i = 0; i < 4; ++i) out |= byte_of(bytes, (c >> (8 * i)) & 0xFF) << (8 * i);
  return out;
};

constexpr Op carrying(std::uint16_t number, const char* name, Run run, bool in = false) {
  const int flags = kWritesMask | (in ? kReadsMask : 0);
  return valu(number, name, run, 2, Type::kB32, static_cast<std::uint8_t>(flags));
}

constexpr Op kOps[] = {
    valu(0x106, "v_mul_i32_i24", two<mul_i24>, 2),
    valu(0x107, "v_mul_hi_i32_i24", two<mul_hi_i24>, 2),
    valu(0x108, "v_mul_u32_u24", two<mul_u24>, 2),
    valu(0x109, "v_mul_hi_u32_u24", two<mul_hi_u24>, 2),
    valu(0x10C, "v_min_i32", two<min_i>, 2),
    valu(0x10D, "v_max_i32", two<max_i>, 2),
    valu(0x10E, "v_min_u32", two<min_u>, 2),
    valu(0x10F, "v_max_u32", two<max_u>, 2),
    valu(0x110, "v_lshrrev_b32", two<lshrrev>, 2),
    valu(0x111, "v_ashrrev_i32", two<ashrrev>, 2),
    valu(0x112, "v_lshlrev_b32", two<lshlrev>, 2),
    valu(0x113, "v_and_b32", two<and_>, 2),
    valu(0x114, "v_or_b32", two<or_>, 2),
    valu(0x115, "v_xor_b32", two<xor_>, 2),
    carrying(0x119, "v_add_u32", carry<add, false, true>),
    carrying(0x11A, "v_sub_u32", carry<sub, false, false>),
    carrying(0x11B, "v_subrev_u32", carry<subrev, false, false>),
    carrying(0x11C, "v_addc_u32", carry<add, true, true>, true),
    carrying(0x11D, "v_subb_u32", carry<sub, true, false>, true),
    carrying(0x11E, "v_subbrev_u32", carry<subrev, true, false>, true),
    valu(0x126, "v_add_u16", two<add16>, 2),
    valu(0x127, "v_sub_u16", two<sub16>, 2),
    valu(0x128, "v_subrev_u16", two<subrev16>, 2),
    valu(0x129, "v_mul_lo_u16", two<mul_lo16>, 2),
    valu(0x12A, "v_lshlrev_b16", two<lshlrev16>, 2),
    valu(0x12B, "v_lshrrev_b16", two<lshrrev16>, 2),
    valu(0x12C, "v_ashrrev_i16", two<ashrrev16>, 2),
    valu(0x12F, "v_max_u16", two<max_u16>, 2),
    valu(0x130, "v_max_i16", two<max_i16>, 2),
    valu(0x131, "v_min_u16", two<min_u16>, 2),
    valu(0x132, "v_min_i16", two<min_i16>, 2),
    valu(0x16B, "v_not_b32", one<not_>, 1),
    valu(0x16C, "v_bfrev_b32", one<bfrev>, 1),
    valu(0x16D, "v_ffbh_u32", one<ffbh_u32>, 1),
    valu(0x16E, "v_ffbl_b32", one<ffbl>, 1),
    valu(0x16F, "v_ffbh_i32", one<ffbh_i32>, 1),
    valu(0x1C2, "v_mad_i32_i24", three<mad_i24>, 3),
    valu(0x1C3, "v_mad_u32_u24", three<mad_u24>, 3),
    valu(0x1C8, "v_bfe_u32", three<bfe_u>, 3),
    valu(0x1C9, "v_bfe_i32", three<bfe_i>, 3),
    valu(0x1CA, "v_bfi_b32", three<bfi>, 3),
    valu(0x1CE, "v_alignbit_b32", three<alignbit>, 3),
    valu(0x1CF, "v_alignbyte_b32", three<alignbyte>, 3),
    valu(0x1D1, "v_min3_i32", three<min3_i>, 3),
    valu(0x1D2, "v_min3_u32", three<min3_u>, 3),
    valu(0x1D4, "v_max3_i32", three<max3_i>, 3),
    valu(0x1D5, "v_max3_u32", three<max3_u>, 3),
    valu(0x1D7, "v_med3_i32", three<med3_i>, 3),
    valu(0x1D8, "v_med3_u32", three<med3_u>, 3),
    valu(0x1DC, "v_sad_u32", three<sad_u32>, 3),
    valu(0x1EB, "v_mad_u16", three<mad16>, 3),
    valu(0x1EC, "v_mad_i16", three<mad16>, 3),
    valu(0x1ED, "v_perm_b32", three<perm>, 3),
    valu(0x285, "v_mul_lo_u32", two<mul_lo>, 2),
    valu(0x286, "v_mul_hi_u32", two<mul_hi_u>, 2),
    valu(0x287, "v_mul_hi_i32", two<mul_hi_i>, 2),
    valu(0x28B, "v_bcnt_u32_b32", two<bcnt>, 2),
    valu(0x293, "v_bfm_b32", two<bfm>, 2),
    valu(0x297, "v_cvt_pk_u16_u32", two<pk_u16_u32>, 2),
    valu(0x298, "v_cvt_pk_i16_i32", two<pk_i16_i32>, 2),
};

}  // namespace

std::span<const Op> valu_int_ops() { return kOps; }

}  // namespace polaris::gcn
