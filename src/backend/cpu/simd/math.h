#pragma once
// Transcendental functions on vectors, within about 2 units in the last place of float32.
// Coefficients are near-minimax fits of the functions themselves or their Taylor series.
#include "backend/cpu/simd/vec.h"

namespace polaris::cpu {
namespace {

/// a[0] * x^(N-1) + ... + a[N-1].
template <int N>
inline V vpoly(V x, const float (&a)[N]) {
  V r = vset(a[0]);
  for (int i = 1; i < N; ++i) r = vfma(r, x, vset(a[i]));
  return r;
}

/// 2^n for whole n in [-126, 127].
inline V vexp2_int(VI n) { return vfloat_of(vishl<23>(viadd(n, viset(127)))); }

/// exp(x) as 2^n * (1 + p): the parts, so that expm1 loses nothing.
struct ExpParts {
  VI n;
  V p;
};
inline ExpParts vexp_parts(V x) {
  // vmin/vmax give their second operand for NaN, so NaN stays.
  x = vmax(vset(-104.0f), vmin(vset(89.0f), x));
  const V n = vround(x * vset(1.44269504f));
  V r = vfma(n, vset(-0.693145752f), x);  // ln 2 in two parts
  r = vfma(n, vset(-1.42860677e-6f), r);
  constexpr float kTaylor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
                               1.0f / 6,    0.5f,       1.0f};
  return {vround_int(n), vpoly(r, kTaylor) * r};
}
inline V vexp(V x) {
  const ExpParts e = vexp_parts(x);
  // Two steps reach infinity and the subnormals.
  const VI half = visar<1>(e.n);
  return (vset(1.0f) + e.p) * vexp2_int(half) * vexp2_int(visub(e.n, half));
}
/// exp(x) - 1, exact near 0.
inline V vexpm1(V x) {
  const ExpParts e = vexp_parts(x);
  const VI half = visar<1>(e.n);
  const V a = vexp2_int(half);
  const V b = vexp2_int(visub(e.n, half));
  return vfma(e.p * a, b, a * b - vset(1.0f));
}

/// 2 * atanh(s) for |s| <= 1/3.
inline V vlog_ratio(V s) {
  constexpr float kSeries[] = {2.0f / 17, 2.0f / 15, 2.0f / 13, 2.0f / 11, 2.0f / 9,
                               2.0f / 7,  2.0f / 5,  2.0f / 3,  2.0f};
  return vpoly(s * s, kSeries) * s;
}
/// log(1 + u) for u in [0, 1].
inline V vlog1p_unit(V u) { return vlog_ratio(u / (u + vset(2.0f))); }

inline V vlog(V x) {
  const M tiny = vlt(x, vset(0x1p-126f));
  const V scaled = vsel(tiny, x * vset(0x1p24f), x);
  // The mantissa in [sqrt(1/2), sqrt(2)).
  const VI bits = vbits(scaled);
  const VI shifted = visub(bits, viset(0x3F3504F3));
  const VI exponent = visar<23>(shifted);
  const V m = vfloat_of(viadd(viand(shifted, viset(0x007FFFFF)), viset(0x3F3504F3)));
  const V e = vconvert(exponent) - vsel(tiny, vset(24.0f), vset(0.0f));
  const V s = (m - vset(1.0f)) / (m + vset(1.0f));
  V r = vlog_ratio(s);
  r = vfma(e, vset(1.42860677e-6f), r);
  r = vfma(e, vset(0.693145752f), r);
  const V infinity = vset(__builtin_inff());
  r = vsel(vlt(x, infinity), r, x);                       // infinity and NaN
  r = vsel(vlt(vset(0.0f), vabs(x)), r, vneg(infinity));  // 0; NaN corrected below
  r = vsel(vlt(x, vset(0.0f)), vset(__builtin_nanf("")), r);
  return vsel(vnan(x), x, r);
}

inline V vtanh(V x) {
  const V a = vabs(x);
  constexpr float kSmall[] = {0.002127435363f,
                              -0.008157853372f,
                              0.02169126532f,
                              -0.05394458468f,
                              0.1333318175f,
                              -0.3333332966f,
                              1.0f};
  const V small = vpoly(x * x, kSmall) * x;
  const V large = vset(1.0f) - vset(2.0f) / (vexp(a + a) + vset(1.0f));
  return vsel(vlt(a, vset(0.625f)), small, vsel(vnan(x), x, vcopysign(large, x)));
}

inline V verf(V x) {
  const V a = vabs(x);
  constexpr float kSmall[] = {7.875875063e-5f, -0.0008016864287f, 0.005189087423f, -0.02685421201f,
                              0.1128359472f,   -0.3761262667f,    1.128379166f};
  const V small = vpoly(x * x, kSmall) * x;
  // erfc(t) = exp(polynomial) on [1, 4.2]; beyond, erf is 1 in float32.
  constexpr float kLarge[] = {1.54306107e-6f,   -4.422245999e-5f, 0.0005815610807f,
                              -0.004689338606f, 0.02622497951f,   -0.10974093f,
                              -0.6321801924f,   -1.130029426f,    0.000270509475f};
  const V large = vset(1.0f) - vexp(vpoly(vmin(a, vset(4.2f)), kLarge));
  return vsel(vlt(a, vset(1.0f)), small, vsel(vnan(x), x, vcopysign(large, x)));
}

inline V vsigmoid(V x) { return vset(1.0f) / (vset(1.0f) + vexp(vneg(x))); }
inline V vsoftplus(V x) { return vmax(vset(0.0f), x) + vlog1p_unit(vexp(vneg(vabs(x)))); }
/// x * tanh(softplus(x)) with one exponential.
inline V vmish(V x) {
  const V e = vexp(vmin(vset(30.0f), x));
  const V n = e * (e + vset(2.0f));
  return x * (n / (n + vset(2.0f)));
}
inline V vgelu(V x) { return vset(0.5f) * x * (vset(1.0f) + verf(x * vset(0.707106781f))); }
inline V vgelu_tanh(V x) {
  const V inner = vset(0.797884561f) * vfma(vset(0.044715f) * x, x * x, x);
  return vset(0.5f) * x * (vset(1.0f) + vtanh(inner));
}

}  // namespace
}  // namespace polaris::cpu
