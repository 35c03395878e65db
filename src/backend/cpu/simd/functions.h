#pragma once
// Loops over vectors for the Simd table; compiled once an instruction set.
#include "backend/cpu/simd/math.h"
#include "backend/cpu/simd/simd.h"
#include "tensor/block_codec.h"

namespace polaris::cpu {
namespace {

// A tail goes through the same vector function, so an element never depends on where it stands.
template <class F>
inline void map1(const float* x, float* y, std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore(y + i, f(vload(x + i)));
  if (i < n) vstore_n(y + i, f(vload_n(x + i, n - i)), n - i);
}

template <class F>
inline void map2(const float* a, int a_step, const float* b, int b_step, float* y, std::int64_t n,
                 F f) {
  if (n <= 0) return;
  const V a0 = vset(*a);
  const V b0 = vset(*b);
  std::int64_t i = 0;
  if (a_step != 0 && b_step != 0) {
    for (; i + kWidth <= n; i += kWidth) vstore(y + i, f(vload(a + i), vload(b + i)));
  } else if (a_step != 0) {
    for (; i + kWidth <= n; i += kWidth) vstore(y + i, f(vload(a + i), b0));
  } else if (b_step != 0) {
    for (; i + kWidth <= n; i += kWidth) vstore(y + i, f(a0, vload(b + i)));
  }
  for (; i < n; i += kWidth) {
    const std::int64_t rest = n - i < kWidth ? n - i : kWidth;
    const V va = a_step != 0 ? vload_n(a + i, rest) : a0;
    const V vb = b_step != 0 ? vload_n(b + i, rest) : b0;
    vstore_n(y + i, f(va, vb), rest);
  }
}

// One function an opcode; one that elementwise.inc says is here and is not does not compile.
template <Opcode kCode>
V apply1(V x, V p, V q) = delete;
template <>
inline V apply1<kOpIdentity>(V x, V, V) {
  return x;
}
template <>
inline V apply1<kOpNeg>(V x, V, V) {
  return vneg(x);
}
template <>
inline V apply1<kOpAbs>(V x, V, V) {
  return vabs(x);
}
template <>
inline V apply1<kOpSqrt>(V x, V, V) {
  return vsqrt(x);
}
template <>
inline V apply1<kOpReciprocal>(V x, V, V) {
  return vset(1.0f) / x;
}
template <>
inline V apply1<kOpExp>(V x, V, V) {
  return vexp(x);
}
template <>
inline V apply1<kOpLog>(V x, V, V) {
  return vlog(x);
}
template <>
inline V apply1<kOpTanh>(V x, V, V) {
  return vtanh(x);
}
template <>
inline V apply1<kOpErf>(V x, V, V) {
  return verf(x);
}
template <>
inline V apply1<kOpSigmoid>(V x, V, V) {
  return vsigmoid(x);
}
template <>
inline V apply1<kOpRelu>(V x, V, V) {
  return vmax(vset(0.0f), x);
}
template <>
inline V apply1<kOpLeakyRelu>(V x, V p, V) {
  return vsel(vlt(x, vset(0.0f)), x * p, x);
}
template <>
inline V apply1<kOpShrink>(V x, V p, V q) {
  return vsel(vlt(x, vset(0.0f) - p), x + q, vsel(vlt(p, x), x - q, vset(0.0f)));
}
template <>
inline V apply1<kOpElu>(V x, V p, V) {
  return vsel(vlt(x, vset(0.0f)), p * vexpm1(x), x);
}
template <>
inline V apply1<kOpSelu>(V x, V p, V q) {
  return q * vsel(vlt(vset(0.0f), x), x, p * vexpm1(x));
}
template <>
inline V apply1<kOpCelu>(V x, V p, V) {
  return vmax(vset(0.0f), x) + vmin(vset(0.0f), p * vexpm1(x / p));
}
template <>
inline V apply1<kOpGelu>(V x, V, V) {
  return vgelu(x);
}
template <>
inline V apply1<kOpGeluTanh>(V x, V, V) {
  return vgelu_tanh(x);
}
template <>
inline V apply1<kOpSwish>(V x, V p, V) {
  return x * vsigmoid(x * p);
}
template <>
inline V apply1<kOpMish>(V x, V, V) {
  return vmish(x);
}
template <>
inline V apply1<kOpSoftplus>(V x, V, V) {
  return vsoftplus(x);
}
template <>
inline V apply1<kOpSoftsign>(V x, V, V) {
  return x / (vset(1.0f) + vabs(x));
}
template <>
inline V apply1<kOpHardSigmoid>(V x, V p, V q) {
  return vmax(vset(0.0f), vmin(vset(1.0f), vfma(p, x, q)));
}
template <>
inline V apply1<kOpHardSwish>(V x, V, V) {
  return x * vmax(vset(0.0f), vmin(vset(1.0f), vfma(x, vset(1.0f / 6), vset(0.5f))));
}
template <>
inline V apply1<kOpThresholdedRelu>(V x, V p, V) {
  return vsel(vlt(p, x), x, vset(0.0f));
}
template <>
inline V apply1<kOpFloor>(V x, V, V) {
  return vfloor(x);
}
template <>
inline V apply1<kOpCeil>(V x, V, V) {
  return vceil(x);
}
template <>
inline V apply1<kOpRound>(V x, V, V) {
  return vround(x);
}
template <>
inline V apply1<kOpSign>(V x, V, V) {
  return vsel(vlt(x, vset(0.0f)), vset(-1.0f), vsel(vlt(vset(0.0f), x), vset(1.0f), x));
}

template <Opcode kCode>
void unary_loop(const float* x, float* y, std::int64_t n, float p, float q) {
  const V vp = vset(p);
  const V vq = vset(q);
  map1(x, y, n, [=](V v) { return apply1<kCode>(v, vp, vq); });
}
void scale_by(const float* x, float* y, std::int64_t n, float factor) {
  const V f = vset(factor);
  map1(x, y, n, [=](V v) { return v * f; });
}
void clamp(const float* x, float* y, std::int64_t n, float low, float high) {
  const V l = vset(low);
  const V h = vset(high);
  map1(x, y, n, [=](V v) { return vmin(h, vmax(l, v)); });
}

template <Opcode kCode>
V apply2(V a, V b) = delete;
template <>
inline V apply2<kOpAdd>(V a, V b) {
  return a + b;
}
template <>
inline V apply2<kOpSub>(V a, V b) {
  return a - b;
}
template <>
inline V apply2<kOpMul>(V a, V b) {
  return a * b;
}
template <>
inline V apply2<kOpDiv>(V a, V b) {
  return a / b;
}
template <>
inline V apply2<kOpMin>(V a, V b) {
  return vsel(vnan(a), a, vmin(a, b));
}
template <>
inline V apply2<kOpMax>(V a, V b) {
  return vsel(vnan(a), a, vmax(a, b));
}
template <>
inline V apply2<kOpPRelu>(V a, V b) {
  return vsel(vlt(a, vset(0.0f)), a * b, a);
}

template <Opcode kCode>
void binary_loop(const float* a, int a_step, const float* b, int b_step, float* y, std::int64_t n) {
  map2(a, a_step, b, b_step, y, n, [](V va, V vb) { return apply2<kCode>(va, vb); });
}

// Sums keep four partial vectors: the order depends on n alone.
template <class F>
inline float sum_of(std::int64_t n, F term) {
  V part[4] = {vset(0.0f), vset(0.0f), vset(0.0f), vset(0.0f)};
  std::int64_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    for (int j = 0; j < 4; ++j) part[j] = term(i + j * kWidth, kWidth, part[j]);
  }
  for (; i < n; i += kWidth) {
    part[0] = term(i, n - i < kWidth ? n - i : kWidth, part[0]);
  }
  return vsum((part[0] + part[1]) + (part[2] + part[3]));
}
inline V load_up_to(const float* p, std::int64_t n) {
  return n == kWidth ? vload(p) : vload_n(p, n);
}

/// kRows rows at a time share the loads of q; each row's sum has one order, whatever its company.
template <int kRows>
inline void dots_of(const float* q, const float* const* rows, std::int64_t n, float scale,
                    float* out) {
  V part[kRows];
  for (int r = 0; r < kRows; ++r) part[r] = vset(0.0f);
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const V v = vload(q + i);
    for (int r = 0; r < kRows; ++r) part[r] = vfma(v, vload(rows[r] + i), part[r]);
  }
  if (i < n) {
    const V v = vload_n(q + i, n - i);
    for (int r = 0; r < kRows; ++r) part[r] = vfma(v, vload_n(rows[r] + i, n - i), part[r]);
  }
  for (int r = 0; r < kRows; ++r) out[r] = vsum(part[r]) * scale;
}
void dots(const float* q, const float* const* rows, std::int64_t count, std::int64_t n, float scale,
          float* out) {
  std::int64_t p = 0;
  for (; p + 4 <= count; p += 4) dots_of<4>(q, rows + p, n, scale, out + p);
  for (; p < count; ++p) dots_of<1>(q, rows + p, n, scale, out + p);
}
void weigh(const float* w, const float* const* rows, std::int64_t count, std::int64_t n, float* y) {
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
    V a = vload(y + i);
    V b = vload(y + i + kWidth);
    for (std::int64_t p = 0; p < count; ++p) {
      const V s = vset(w[p]);
      a = vfma(s, vload(rows[p] + i), a);
      b = vfma(s, vload(rows[p] + i + kWidth), b);
    }
    vstore(y + i, a);
    vstore(y + i + kWidth, b);
  }
  for (; i < n; i += kWidth) {
    const std::int64_t m = n - i < kWidth ? n - i : kWidth;
    V a = vload_n(y + i, m);
    for (std::int64_t p = 0; p < count; ++p) a = vfma(vset(w[p]), vload_n(rows[p] + i, m), a);
    vstore_n(y + i, a, m);
  }
}
float sum(const float* x, std::int64_t n) {
  return sum_of(n,
                [=](std::int64_t i, std::int64_t m, V acc) { return acc + load_up_to(x + i, m); });
}
float sum_squares(const float* x, float mean, std::int64_t n) {
  const V shift = vset(mean);
  return sum_of(n, [=](std::int64_t i, std::int64_t m, V acc) {
    V d = load_up_to(x + i, m) - shift;
    if (m < kWidth) {  // lanes past the end hold -mean
      float lanes[kWidth];
      vstore(lanes, d);
      d = vload_n(lanes, m);
    }
    return vfma(d, d, acc);
  });
}
void square_sums(const float* const* rows, std::int64_t count, std::int64_t n, float factor,
                 float start, float* y) {
  const V scale = vset(factor);
  const V base = vset(start);
  for (std::int64_t i = 0; i < n; i += kWidth) {
    const std::int64_t m = n - i < kWidth ? n - i : kWidth;
    V sum = vset(0.0f);
    for (std::int64_t r = 0; r < count; ++r) {
      const V x = load_up_to(rows[r] + i, m);
      sum = vfma(x, x, sum);
    }
    const V out = vfma(sum, scale, base);
    m == kWidth ? vstore(y + i, out) : vstore_n(y + i, out, m);
  }
}
float max_of(const float* x, std::int64_t n) {
  V best = vset(x[0]);
  V other = best * vset(0.0f);  // NaN where any element is infinite or NaN
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const V v = vload(x + i);
    best = vmax(best, v);
    other = other + v * vset(0.0f);
  }
  float top = vmax_of(best);
  const float odd = vsum(other);
  bool check = odd != 0.0f;
  for (; i < n; ++i) {
    top = x[i] > top ? x[i] : top;
    check = check || x[i] != x[i];
  }
  if (check) {  // rare: an infinity or a NaN somewhere
    top = x[0];
    for (i = 1; i < n; ++i) {
      if (x[i] > top || x[i] != x[i]) top = x[i];
      if (top != top) break;
    }
  }
  return top;
}
void axpy(float s, const float* x, float* y, std::int64_t n) {
  const V vs = vset(s);
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore(y + i, vfma(vs, vload(x + i), vload(y + i)));
  if (i < n) vstore_n(y + i, vfma(vs, vload_n(x + i, n - i), vload_n(y + i, n - i)), n - i);
}
float exp_sum(const float* x, float shift, float* y, std::int64_t n) {
  const V s = vset(shift);
  V total = vset(0.0f);
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const V e = vexp(vload(x + i) - s);
    vstore(y + i, e);
    total = total + e;
  }
  if (i < n) {
    vstore_n(y + i, vexp(vload_n(x + i, n - i) - s), n - i);
    total = total + vload_n(y + i, n - i);
  }
  return vsum(total);
}
void affine(const float* x, float mean, float scale, const float* w, const float* b, float* y,
            std::int64_t n) {
  const V m = vset(mean);
  const V s = vset(scale);
  for (std::int64_t i = 0; i < n; i += kWidth) {
    const std::int64_t rest = n - i < kWidth ? n - i : kWidth;
    V v = (load_up_to(x + i, rest) - m) * s;
    if (w != nullptr) v = v * load_up_to(w + i, rest);
    if (b != nullptr) v = v + load_up_to(b + i, rest);
    if (rest == kWidth) {
      vstore(y + i, v);
    } else {
      vstore_n(y + i, v, rest);
    }
  }
}
void rotate(const float* lo, const float* hi, const float* c, const float* s, float* out_lo,
            float* out_hi, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kWidth) {
    const std::int64_t m = n - i < kWidth ? n - i : kWidth;
    const V a = load_up_to(lo + i, m);
    const V b = load_up_to(hi + i, m);
    const V vc = load_up_to(c + i, m);
    const V vs = load_up_to(s + i, m);
    vstore_n(out_lo + i, a * vc - b * vs, m);
    vstore_n(out_hi + i, b * vc + a * vs, m);
  }
}

void widen_f16(const std::uint16_t* x, float* y, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore(y + i, vload_f16(x + i));
  if (i < n) {
    std::uint16_t lanes[kWidth] = {};
    std::memcpy(lanes, x + i, static_cast<std::size_t>(n - i) * 2);
    vstore_n(y + i, vload_f16(lanes), n - i);
  }
}
void narrow_f16(const float* x, std::uint16_t* y, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore_f16(y + i, vload(x + i));
  if (i < n) {
    std::uint16_t lanes[kWidth];
    vstore_f16(lanes, vload_n(x + i, n - i));
    std::memcpy(y + i, lanes, static_cast<std::size_t>(n - i) * 2);
  }
}
void widen_bf16(const std::uint16_t* x, float* y, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore(y + i, vfloat_of(vishl<16>(vload_u16(x + i))));
  for (; i < n; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(x[i]) << 16;
    std::memcpy(y + i, &bits, 4);
  }
}
/// Rounded to nearest even in the upper halves; a NaN stays one.
inline VI bf16_of(V x) {
  const VI bits = vbits(x);
  const VI odd = viand(visar<16>(bits), viset(1));
  const VI rounded = viadd(viadd(bits, viset(0x7FFF)), odd);
  return visar<16>(
      vbits(vsel(vnan(x), vfloat_of(vior(bits, viset(0x400000))), vfloat_of(rounded))));
}
void narrow_bf16(const float* x, std::uint16_t* y, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vistore_i16(y + i, bf16_of(vload(x + i)));
  if (i < n) {
    std::uint16_t lanes[kWidth];
    vistore_i16(lanes, bf16_of(vload_n(x + i, n - i)));
    std::memcpy(y + i, lanes, static_cast<std::size_t>(n - i) * 2);
  }
}
inline float widen_one(const std::uint8_t* p) {
  std::uint16_t lanes[kWidth] = {};
  std::memcpy(lanes, p, 2);
  float out[kWidth];
  vstore(out, vload_f16(lanes));
  return out[0];
}
void decode_q8_0(const void* blocks, float* y, std::int64_t n) {
  const auto* p = static_cast<const std::uint8_t*>(blocks);
  for (std::int64_t i = 0; i < n; i += 32, p += 34) {
    const V d = vset(widen_one(p));
    for (int j = 0; j < 32; j += kWidth) {
      vstore(y + i + j, vconvert(vload_i8(reinterpret_cast<const std::int8_t*>(p) + 2 + j)) * d);
    }
  }
}
void decode_q4_0(const void* blocks, float* y, std::int64_t n) {
  const auto* p = static_cast<const std::uint8_t*>(blocks);
  const VI low = viset(15);
  const VI eight = viset(8);
  for (std::int64_t i = 0; i < n; i += 32, p += 18) {
    const V d = vset(widen_one(p));
    for (int j = 0; j < 16; j += kWidth) {
      const VI q = vload_u8(p + 2 + j);
      vstore(y + i + j, vconvert(visub(viand(q, low), eight)) * d);
      vstore(y + i + 16 + j, vconvert(visub(visar<4>(q), eight)) * d);
    }
  }
}
/// By the definition, a block at a time: for rows of tables, which are few.
template <BlockFormat kFormat>
void decode_plainly(const void* blocks, float* y, std::int64_t n) {
  decode_blocks(kFormat, static_cast<const std::byte*>(blocks), n, y);
}
Simd::DecodeFn block_decoder(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return decode_q4_0;
    case BlockFormat::kQ8_0: return decode_q8_0;
    case BlockFormat::kQ4_1: return decode_plainly<BlockFormat::kQ4_1>;
    case BlockFormat::kQ5_0: return decode_plainly<BlockFormat::kQ5_0>;
    case BlockFormat::kQ5_1: return decode_plainly<BlockFormat::kQ5_1>;
    case BlockFormat::kQ2_K: return decode_plainly<BlockFormat::kQ2_K>;
    case BlockFormat::kQ3_K: return decode_plainly<BlockFormat::kQ3_K>;
    case BlockFormat::kQ4_K: return decode_plainly<BlockFormat::kQ4_K>;
    case BlockFormat::kQ5_K: return decode_plainly<BlockFormat::kQ5_K>;
    case BlockFormat::kQ6_K: return decode_plainly<BlockFormat::kQ6_K>;
    case BlockFormat::kIQ4_NL: return decode_plainly<BlockFormat::kIQ4_NL>;
    case BlockFormat::kIQ4_XS: return decode_plainly<BlockFormat::kIQ4_XS>;
    case BlockFormat::kMXFP4: return decode_plainly<BlockFormat::kMXFP4>;
    case BlockFormat::kNVFP4: return decode_plainly<BlockFormat::kNVFP4>;
    case BlockFormat::kTQ1_0: return decode_plainly<BlockFormat::kTQ1_0>;
    case BlockFormat::kTQ2_0: return decode_plainly<BlockFormat::kTQ2_0>;
    case BlockFormat::kIQ1_S: return decode_plainly<BlockFormat::kIQ1_S>;
    case BlockFormat::kIQ1_M: return decode_plainly<BlockFormat::kIQ1_M>;
    case BlockFormat::kIQ2_XXS: return decode_plainly<BlockFormat::kIQ2_XXS>;
    case BlockFormat::kIQ2_XS: return decode_plainly<BlockFormat::kIQ2_XS>;
    case BlockFormat::kIQ2_S: return decode_plainly<BlockFormat::kIQ2_S>;
    case BlockFormat::kIQ3_XXS: return decode_plainly<BlockFormat::kIQ3_XXS>;
    case BlockFormat::kIQ3_S: return decode_plainly<BlockFormat::kIQ3_S>;
  }
  return nullptr;
}
template <class T, VI (*kLoad)(const T*)>
void widen_bytes(const T* x, float scale, float zero, float* y, std::int64_t n) {
  const V s = vset(scale);
  const V z = vset(zero);
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vstore(y + i, (vconvert(kLoad(x + i)) - z) * s);
  for (; i < n; ++i) y[i] = (static_cast<float>(x[i]) - zero) * scale;
}

}  // namespace
}  // namespace polaris::cpu
