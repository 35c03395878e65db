#include <algorithm>
#include <bit>
#include <cmath>

#include "gcn/valu.h"

/// Vector operations on 64 bits: shifts, multiply-add, doubles. Doubles keep subnormals unless the
/// MODE register flushes them, which no driver here asks for.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

constexpr U64 kSign = 0x8000000000000000;
constexpr U64 kDefaultNan = 0x7FF8000000000000;

double d(U64 bits) { return std::bit_cast<double>(bits); }
U64 bits(double value) { return value == value ? std::bit_cast<U64>(value) : kDefaultNan; }

void fetch_double(Wave& w, const Instruction& in, int source, WideLanes& out) {
  w.fetch64(in, source, out);
  const bool absolute = ((in.absolute >> source) & 1) != 0;
  const bool negate = ((in.negate >> source) & 1) != 0;
  if (!absolute && !negate) return;
  for (U64& x : out.at) x = (absolute ? x & ~kSign : x) ^ (negate ? kSign : 0);
}

void finish(Wave& w, const Instruction& in, const WideLanes& out) {
  if (in.clamp || in.multiply != 0 || w.mode.round16_64 != 0 || !w.mode.keep_denorm16_64) {
    w.fault(in, FaultKind::kUnsupported, "modifiers or modes of doubles");
  }
  w.store64(in, out);
}

template <auto F>
void unary(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes out;
  fetch_double(w, in, 0, a);
  for (int i = 0; i < kLanes; ++i) out.at[i] = bits(F(d(a.at[i])));
  finish(w, in, out);
}

template <auto F>
void binary(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  WideLanes out;
  fetch_double(w, in, 0, a);
  fetch_double(w, in, 1, b);
  for (int i = 0; i < kLanes; ++i) out.at[i] = bits(F(d(a.at[i]), d(b.at[i])));
  finish(w, in, out);
}

void fma(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  WideLanes c;
  WideLanes out;
  fetch_double(w, in, 0, a);
  fetch_double(w, in, 1, b);
  fetch_double(w, in, 2, c);
  for (int i = 0; i < kLanes; ++i) {
    out.at[i] = bits(std::fma(d(a.at[i]), d(b.at[i]), d(c.at[i])));
  }
  finish(w, in, out);
}

void ldexp(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes out;
  Lanes sb;
  fetch_double(w, in, 0, a);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const S32 power = std::clamp(static_cast<S32>(b.at[i]), -3000, 3000);
    out.at[i] = bits(std::ldexp(d(a.at[i]), power));
  }
  finish(w, in, out);
}

/// A dword of each lane to a double.
template <auto F>
void widen(Wave& w, const Instruction& in) {
  Lanes sa;
  WideLanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  for (int i = 0; i < kLanes; ++i) out.at[i] = bits(F(a.at[i]));
  finish(w, in, out);
}

template <auto F>
void narrow(Wave& w, const Instruction& in) {
  WideLanes a;
  Lanes out;
  fetch_double(w, in, 0, a);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(d(a.at[i]));
  w.store(in, out);
}

void from_float(Wave& w, const Instruction& in) {
  Lanes sa;
  WideLanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  for (int i = 0; i < kLanes; ++i) {
    U32 x = a.at[i];
    if ((in.absolute & 1) != 0) x &= 0x7FFFFFFF;
    if ((in.negate & 1) != 0) x ^= 0x80000000;
    if (!w.mode.keep_denorm32 && (x & 0x7F800000) == 0) x &= 0x80000000;
    out.at[i] = bits(double{std::bit_cast<float>(x)});
  }
  finish(w, in, out);
}

void to_float(Wave& w, const Instruction& in) {
  WideLanes a;
  Lanes out;
  fetch_double(w, in, 0, a);
  for (int i = 0; i < kLanes; ++i) {
    const auto narrowed = static_cast<float>(d(a.at[i]));
    auto x = std::bit_cast<U32>(narrowed);
    if (narrowed != narrowed) x = 0x7FC00000;
    if (!w.mode.keep_denorm32 && (x & 0x7F800000) == 0) x &= 0x80000000;
    out.at[i] = x;
  }
  if (in.clamp || in.multiply != 0) w.fault(in, FaultKind::kUnsupported, "modifiers");
  w.store(in, out);
}

/// F(dword, quad): shifts take the amount first.
template <auto F>
void shift(Wave& w, const Instruction& in) {
  Lanes sa;
  WideLanes b;
  WideLanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  w.fetch64(in, 1, b);
  for (int i = 0; i < kLanes; ++i) out.at[i] = F(a.at[i] & 63, b.at[i]);
  w.store64(in, out);
}

template <bool Signed>
void mad64(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  WideLanes c;
  WideLanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  w.fetch64(in, 2, c);
  std::uint8_t over[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const U64 product =
        Signed ? static_cast<U64>(S64{static_cast<S32>(a.at[i])} * static_cast<S32>(b.at[i]))
               : U64{a.at[i]} * b.at[i];
    out.at[i] = product + c.at[i];
    const bool unsigned_over = out.at[i] < product;
    const bool signed_over = ((~(product ^ c.at[i]) & (product ^ out.at[i])) >> 63) != 0;
    over[i] = static_cast<std::uint8_t>(Signed ? signed_over : unsigned_over);
  }
  w.store64(in, out);
  w.store_mask(in, pack_mask(over));
}

constexpr auto lshl = [](U32 a, U64 b) { return b << a; };
constexpr auto lshr = [](U32 a, U64 b) { return b >> a; };
constexpr auto ashr = [](U32 a, U64 b) { return static_cast<U64>(static_cast<S64>(b) >> a); };
constexpr auto add = [](double a, double b) { return a + b; };
constexpr auto mul = [](double a, double b) { return a * b; };
constexpr auto min = [](double a, double b) { return std::fmin(a, b); };
constexpr auto max = [](double a, double b) { return std::fmax(a, b); };
constexpr auto trunc = [](double a) { return std::trunc(a); };
constexpr auto ceil = [](double a) { return std::ceil(a); };
constexpr auto rndne = [](double a) { return std::nearbyint(a); };
constexpr auto floor = [](double a) { return std::floor(a); };
constexpr auto from_i32 = [](U32 a) { return double{static_cast<double>(static_cast<S32>(a))}; };
constexpr auto from_u32 = [](U32 a) { return static_cast<double>(a); };
constexpr auto to_i32 = [](double a) {
  if (a != a) return 0U;
  return static_cast<U32>(static_cast<S32>(std::clamp(a, -0x1p31, 0x1p31 - 1)));
};
constexpr auto to_u32 = [](double a) {
  return !(a > -1.0) ? 0U : static_cast<U32>(std::min(a, 0x1p32 - 1));
};

constexpr Op number(std::uint16_t code, const char* name, Run run, std::uint8_t sources) {
  Op op = valu(code, name, run, sources, Type::kF64);
  op.dst_dwords = 2;
  op.src_dwords = {2, 2, 2};
  return op;
}
constexpr Op widening(std::uint16_t code, const char* name, Run run, Type type = Type::kB32) {
  Op op = valu(code, name, run, 1, type);
  op.dst_dwords = 2;
  return op;
}
constexpr Op narrowing(std::uint16_t code, const char* name, Run run) {
  Op op = number(code, name, run, 1);
  op.dst_dwords = 1;
  return op;
}
constexpr Op shifting(std::uint16_t code, const char* name, Run run) {
  Op op = valu(code, name, run, 2, Type::kB64);
  op.dst_dwords = 2;
  op.src_dwords = {1, 2, 1};
  return op;
}
constexpr Op mad_op(std::uint16_t code, const char* name, Run run) {
  Op op = valu(code, name, run, 3, Type::kB64, kWritesMask);
  op.dst_dwords = 2;
  op.src_dwords = {1, 1, 2};
  return op;
}
constexpr Op ldexp_op() {
  Op op = number(0x284, "v_ldexp_f64", ldexp, 2);
  op.src_dwords[1] = 1;
  return op;
}

constexpr Op kOps[] = {
    narrowing(0x143, "v_cvt_i32_f64", narrow<to_i32>),
    widening(0x144, "v_cvt_f64_i32", widen<from_i32>),
    narrowing(0x14F, "v_cvt_f32_f64", to_float),
    widening(0x150, "v_cvt_f64_f32", from_float, Type::kF32),
    narrowing(0x155, "v_cvt_u32_f64", narrow<to_u32>),
    widening(0x156, "v_cvt_f64_u32", widen<from_u32>),
    number(0x157, "v_trunc_f64", unary<trunc>, 1),
    number(0x158, "v_ceil_f64", unary<ceil>, 1),
    number(0x159, "v_rndne_f64", unary<rndne>, 1),
    number(0x15A, "v_floor_f64", unary<floor>, 1),
    number(0x1CC, "v_fma_f64", fma, 3),
    mad_op(0x1E8, "v_mad_u64_u32", mad64<false>),
    mad_op(0x1E9, "v_mad_i64_i32", mad64<true>),
    number(0x280, "v_add_f64", binary<add>, 2),
    number(0x281, "v_mul_f64", binary<mul>, 2),
    number(0x282, "v_min_f64", binary<min>, 2),
    number(0x283, "v_max_f64", binary<max>, 2),
    ldexp_op(),
    shifting(0x28F, "v_lshlrev_b64", shift<lshl>),
    shifting(0x290, "v_lshrrev_b64", shift<lshr>),
    shifting(0x291, "v_ashrrev_i64", shift<ashr>),
};

}  // namespace

std::span<const Op> valu_wide_ops() { return kOps; }

}  // namespace polaris::gcn
