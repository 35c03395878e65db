#include <algorithm>
#include <cmath>

#include "gcn/half.h"
#include "gcn/valu.h"

/// Vector arithmetic of 32-bit floats, and conversions. Subnormals are flushed as the MODE register
/// says; v_mac and v_mad round between product and sum and flush always; minimum, maximum and
/// median flush nothing on this generation. Reciprocal, roots, exponential, logarithm, sine and
/// cosine give the correctly rounded value, which lies within the error that AMD states for the
/// chip (1 ulp; sine and cosine 2^-20 or so): the last bit may differ from a card's.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using S32 = std::int32_t;

inline float f(U32 bits) { return std::bit_cast<float>(bits); }
inline U32 bits(float value) { return std::bit_cast<U32>(value); }
inline bool is_nan(U32 x) { return (x & 0x7FFFFFFF) > 0x7F800000; }

/// `keep`: all ones where subnormals stay.
inline U32 flush(U32 x, U32 keep) { return (x & 0x7F800000) == 0 ? x & (0x80000000 | keep) : x; }
U32 kept(const Wave& w) { return w.mode.keep_denorm32 ? ~0U : 0U; }

constexpr U32 kDefaultNan = 0x7FC00000;
constexpr U32 kQuiet = 0x00400000;

const Lanes& fetch_float(Wave& w, const Instruction& in, int source, Lanes& scratch) {
  const Lanes& raw = w.fetch(in, source, scratch);
  const bool absolute = ((in.absolute >> source) & 1) != 0;
  const bool negate = ((in.negate >> source) & 1) != 0;
  if (!absolute && !negate) return raw;
  const U32 clear = absolute ? 0x7FFFFFFF : ~0U;
  const U32 toggle = negate ? 0x80000000 : 0;
  for (int i = 0; i < kLanes; ++i) scratch.at[i] = (raw.at[i] & clear) ^ toggle;
  return scratch;
}

/// The output modifiers of float results.
void finish(Wave& w, const Instruction& in, Lanes& out) {
  if (w.mode.round32 != 0) w.fault(in, FaultKind::kUnsupported, "rounding other than to nearest");
  if (in.multiply != 0) {
    const float factor = in.multiply == 1 ? 2.0F : in.multiply == 2 ? 4.0F : 0.5F;
    for (U32& x : out.at) x = flush(bits(f(x) * factor), 0);
  }
  if (in.clamp) {
    for (U32& x : out.at) x = !(f(x) > 0.0F) ? 0 : f(x) > 1.0F ? 0x3F800000 : x;
  }
  w.store(in, out);
}

/// A NaN that comes of numbers is the chip's own; one that came in goes on, quiet.
inline U32 settle(float r, U32 a, U32 b) {
  return r == r ? bits(r) : is_nan(a) ? a | kQuiet : is_nan(b) ? b | kQuiet : kDefaultNan;
}

template <auto F>
void unary(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  for (int i = 0; i < kLanes; ++i) {
    const U32 x = flush(a.at[i], keep);
    out.at[i] = flush(settle(F(f(x)), x, x), keep);
  }
  finish(w, in, out);
}

template <auto F>
void binary(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const U32 x = flush(a.at[i], keep);
    const U32 y = flush(b.at[i], keep);
    out.at[i] = flush(settle(F(f(x), f(y)), x, y), keep);
  }
  finish(w, in, out);
}

/// a * b + c with two roundings: v_mac, v_mad and their forms with a constant.
void multiply_add(Wave& w, const Instruction& in, const Lanes& a, const Lanes& b, const Lanes& c) {
  Lanes out;
  for (int i = 0; i < kLanes; ++i) {
    const U32 x = flush(a.at[i], 0);
    const U32 y = flush(b.at[i], 0);
    const U32 z = flush(c.at[i], 0);
    const U32 product = flush(settle(f(x) * f(y), x, y), 0);
    out.at[i] = flush(settle(f(product) + f(z), product, z), 0);
  }
  finish(w, in, out);
}

void mad(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes sc;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  multiply_add(w, in, a, b, fetch_float(w, in, 2, sc));
}

Lanes spread(U32 value) {
  Lanes out;
  std::fill(std::begin(out.at), std::end(out.at), value);
  return out;
}

void madmk(Wave& w, const Instruction& in) {  // a * K + b
  Lanes sa;
  Lanes sb;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  multiply_add(w, in, a, spread(in.literal), b);
}

void madak(Wave& w, const Instruction& in) {  // a * b + K
  Lanes sa;
  Lanes sb;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  multiply_add(w, in, a, b, spread(in.literal));
}

void fma(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes sc;
  Lanes out;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  const Lanes& c = fetch_float(w, in, 2, sc);
  for (int i = 0; i < kLanes; ++i) {
    const U32 x = flush(a.at[i], keep);
    const U32 y = flush(b.at[i], keep);
    const U32 z = flush(c.at[i], keep);
    const U32 first = is_nan(x) ? x : y;
    out.at[i] = flush(settle(std::fma(f(x), f(y), f(z)), first, z), keep);
  }
  finish(w, in, out);
}

/// Selections among floats: a NaN loses to a number, -0 is below +0.
inline U32 min_bits(U32 a, U32 b) {
  if (is_nan(a)) return b;
  if (is_nan(b)) return a;
  if (f(a) == f(b)) return a | (b & 0x80000000);
  return f(a) < f(b) ? a : b;
}
inline U32 max_bits(U32 a, U32 b) {
  if (is_nan(a)) return b;
  if (is_nan(b)) return a;
  if (f(a) == f(b)) return a & (b | 0x7FFFFFFF);
  return f(a) > f(b) ? a : b;
}
constexpr auto min2 = [](U32 a, U32 b) { return min_bits(a, b); };
constexpr auto max2 = [](U32 a, U32 b) { return max_bits(a, b); };
constexpr auto min3 = [](U32 a, U32 b, U32 c) { return min_bits(min_bits(a, b), c); };
constexpr auto max3 = [](U32 a, U32 b, U32 c) { return max_bits(max_bits(a, b), c); };
constexpr auto med3 = [](U32 a, U32 b, U32 c) {
  if (is_nan(a) || is_nan(b) || is_nan(c)) return min_bits(min_bits(a, b), c);
  return max_bits(min_bits(a, b), min_bits(max_bits(a, b), c));
};

template <auto F>
void select2(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i], b.at[i]);
  finish(w, in, out);
}

template <auto F>
void select3(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes sc;
  Lanes out;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  const Lanes& c = fetch_float(w, in, 2, sc);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i], b.at[i], c.at[i]);
  finish(w, in, out);
}

/// Integers to floats, and halves: no flushing before, none needed after.
template <auto F>
void to_float(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  for (int i = 0; i < kLanes; ++i) out.at[i] = bits(F(a.at[i]));
  finish(w, in, out);
}

template <auto F>
void to_int(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(f(flush(a.at[i], keep)));
  w.store(in, out);
}

void from_half(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  const bool absolute = (in.absolute & 1) != 0;
  const bool negate = (in.negate & 1) != 0;
  for (int i = 0; i < kLanes; ++i) {
    const U32 half = (a.at[i] & (absolute ? 0x7FFF : 0xFFFF)) ^ (negate ? 0x8000 : 0);
    out.at[i] = bits(half_to_float(half));
  }
  finish(w, in, out);
}

void to_half(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes out;
  if (w.mode.round16_64 == 1 || w.mode.round16_64 == 2) {
    w.fault(in, FaultKind::kUnsupported, "rounding up or down");
  }
  const bool toward_zero = w.mode.round16_64 == 3;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  for (int i = 0; i < kLanes; ++i) {
    const U32 half = float_to_half(f(flush(a.at[i], keep)), toward_zero);
    const bool subnormal = (half & 0x7C00) == 0;
    out.at[i] = subnormal && !w.mode.keep_denorm16_64 ? half & 0x8000 : half;
  }
  w.store(in, out);
}

void pack_halves(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = fetch_float(w, in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    out.at[i] = float_to_half(f(a.at[i]), true) | float_to_half(f(b.at[i]), true) << 16;
  }
  w.store(in, out);
}

void ldexp(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const U32 keep = kept(w);
  const Lanes& a = fetch_float(w, in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const U32 x = flush(a.at[i], keep);
    const S32 power = std::clamp(static_cast<S32>(b.at[i]), -400, 400);
    out.at[i] = flush(settle(std::ldexp(f(x), power), x, x), keep);
  }
  finish(w, in, out);
}

constexpr auto add = [](float a, float b) { return a + b; };
constexpr auto sub = [](float a, float b) { return a - b; };
constexpr auto subrev = [](float a, float b) { return b - a; };
constexpr auto mul = [](float a, float b) { return a * b; };
constexpr auto mul_legacy = [](float a, float b) { return a == 0.0F || b == 0.0F ? 0.0F : a * b; };

constexpr auto fract = [](float a) {
  const float r = a - std::floor(a);
  return r < 1.0F || r != r ? r : 0x1.fffffep-1F;
};
constexpr auto trunc = [](float a) { return std::trunc(a); };
constexpr auto ceil = [](float a) { return std::ceil(a); };
constexpr auto rndne = [](float a) { return std::nearbyint(a); };
constexpr auto floor = [](float a) { return std::floor(a); };
constexpr auto exp = [](float a) { return static_cast<float>(std::exp2(double{a})); };
constexpr auto log = [](float a) {
  return a == 0.0F ? -HUGE_VALF : static_cast<float>(std::log2(double{a}));
};
constexpr auto rcp = [](float a) { return 1.0F / a; };
constexpr auto rsq = [](float a) { return static_cast<float>(1.0 / std::sqrt(double{a})); };
constexpr auto sqrt = [](float a) { return std::sqrt(a); };
constexpr double kTwoPi = 6.283185307179586476925;
constexpr auto sin = [](float a) {
  return std::fabs(a) > 256.0F ? 0.0F : static_cast<float>(std::sin(kTwoPi * double{a}));
};
constexpr auto cos = [](float a) {
  return std::fabs(a) > 256.0F ? 1.0F : static_cast<float>(std::cos(kTwoPi * double{a}));
};
constexpr auto frexp_mant = [](float a) {
  int e = 0;
  return std::isfinite(a) ? std::frexp(a, &e) : a;
};
constexpr auto frexp_exp = [](float a) {
  int e = 0;
  if (std::isfinite(a)) (void)std::frexp(a, &e);
  return static_cast<U32>(e);
};

constexpr auto from_i32 = [](U32 a) { return static_cast<float>(static_cast<S32>(a)); };
constexpr auto from_u32 = [](U32 a) { return static_cast<float>(a); };
template <int Byte>
constexpr auto from_ubyte =
    [](U32 a) { return static_cast<float>(static_cast<S32>((a >> (8 * Byte)) & 0xFF)); };
constexpr auto to_i32 = [](float a) {
  if (a != a) return 0U;
  if (a >= 0x1p31F) return 0x7FFFFFFFU;
  if (a <= -0x1p31F) return 0x80000000U;
  return static_cast<U32>(static_cast<S32>(a));
};
constexpr auto to_u32 = [](float a) {
  if (!(a > -1.0F)) return 0U;
  return a >= 0x1p32F ? ~0U : static_cast<U32>(a);
};
constexpr auto to_i32_floor = [](float a) { return to_i32(std::floor(a)); };
constexpr auto to_i32_nearest = [](float a) {
  return to_i32(static_cast<float>(std::floor(double{a} + 0.5)));
};

constexpr Op number(std::uint16_t code, const char* name, Run run, std::uint8_t sources,
                    std::uint8_t flags = 0) {
  return valu(code, name, run, sources, Type::kF32, flags);
}

constexpr Op kOps[] = {
    number(0x101, "v_add_f32", binary<add>, 2),
    number(0x102, "v_sub_f32", binary<sub>, 2),
    number(0x103, "v_subrev_f32", binary<subrev>, 2),
    number(0x104, "v_mul_legacy_f32", binary<mul_legacy>, 2),
    number(0x105, "v_mul_f32", binary<mul>, 2),
    number(0x10A, "v_min_f32", select2<min2>, 2),
    number(0x10B, "v_max_f32", select2<max2>, 2),
    number(0x116, "v_mac_f32", mad, 2, kAccumulates),
    number(0x117, "v_madmk_f32", madmk, 2, kTrailingConst),
    number(0x118, "v_madak_f32", madak, 2, kTrailingConst),
    valu(0x145, "v_cvt_f32_i32", to_float<from_i32>, 1),
    valu(0x146, "v_cvt_f32_u32", to_float<from_u32>, 1),
    number(0x147, "v_cvt_u32_f32", to_int<to_u32>, 1),
    number(0x148, "v_cvt_i32_f32", to_int<to_i32>, 1),
    number(0x14A, "v_cvt_f16_f32", to_half, 1),
    valu(0x14B, "v_cvt_f32_f16", from_half, 1, Type::kF16),
    number(0x14C, "v_cvt_rpi_i32_f32", to_int<to_i32_nearest>, 1),
    number(0x14D, "v_cvt_flr_i32_f32", to_int<to_i32_floor>, 1),
    valu(0x151, "v_cvt_f32_ubyte0", to_float<from_ubyte<0>>, 1),
    valu(0x152, "v_cvt_f32_ubyte1", to_float<from_ubyte<1>>, 1),
    valu(0x153, "v_cvt_f32_ubyte2", to_float<from_ubyte<2>>, 1),
    valu(0x154, "v_cvt_f32_ubyte3", to_float<from_ubyte<3>>, 1),
    number(0x15B, "v_fract_f32", unary<fract>, 1),
    number(0x15C, "v_trunc_f32", unary<trunc>, 1),
    number(0x15D, "v_ceil_f32", unary<ceil>, 1),
    number(0x15E, "v_rndne_f32", unary<rndne>, 1),
    number(0x15F, "v_floor_f32", unary<floor>, 1),
    number(0x160, "v_exp_f32", unary<exp>, 1),
    number(0x161, "v_log_f32", unary<log>, 1),
    number(0x162, "v_rcp_f32", unary<rcp>, 1),
    number(0x163, "v_rcp_iflag_f32", unary<rcp>, 1),
    number(0x164, "v_rsq_f32", unary<rsq>, 1),
    number(0x167, "v_sqrt_f32", unary<sqrt>, 1),
    number(0x169, "v_sin_f32", unary<sin>, 1),
    number(0x16A, "v_cos_f32", unary<cos>, 1),
    number(0x173, "v_frexp_exp_i32_f32", to_int<frexp_exp>, 1),
    number(0x174, "v_frexp_mant_f32", unary<frexp_mant>, 1),
    number(0x1C1, "v_mad_f32", mad, 3),
    number(0x1CB, "v_fma_f32", fma, 3),
    number(0x1D0, "v_min3_f32", select3<min3>, 3),
    number(0x1D3, "v_max3_f32", select3<max3>, 3),
    number(0x1D6, "v_med3_f32", select3<med3>, 3),
    number(0x288, "v_ldexp_f32", ldexp, 2),
    number(0x296, "v_cvt_pkrtz_f16_f32", pack_halves, 2),
};

}  // namespace

std::span<const Op> valu_float_ops() { return kOps; }

}  // namespace polaris::gcn
