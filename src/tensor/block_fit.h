#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

/// Scales of a run of values, and minima, with the least squared error that a search finds: from
/// several scales on, values are rounded to codes and the scale is fitted to the codes by least
/// squares. Sums run in lanes of a fixed order, so that every machine finds the same.
namespace polaris::block {

/// Four values side by side: what every machine that we run on has registers for.
inline constexpr int kFitLanes = 4;
using Lanes = float __attribute__((vector_size(kFitLanes * sizeof(float))));
using IntLanes = std::int32_t __attribute__((vector_size(kFitLanes * sizeof(float))));

inline Lanes load_lanes(const float* x) {
  Lanes out;
  std::memcpy(&out, x, sizeof out);
  return out;
}
inline Lanes all_lanes(float v) { return Lanes{v, v, v, v}; }
inline float sum_of(Lanes v) { return (v[0] + v[2]) + (v[1] + v[3]); }

/// Smaller scales are none: their inverse would be no number.
inline constexpr float kScaleLeast = 1e-30f;
inline float inverse_of(float scale) {
  return std::fabs(scale) < kScaleLeast ? 0.0f : 1.0f / scale;
}

/// Values as codes from 0 to kTop.
template <int kTop>
inline Lanes code_of(Lanes scaled) {
  const Lanes low = all_lanes(0);
  const Lanes top = all_lanes(kTop);
  scaled = scaled > low ? scaled : low;
  scaled = scaled < top ? scaled : top;
  const auto whole = __builtin_convertvector(scaled + all_lanes(0.5f), IntLanes);
  return __builtin_convertvector(whole, Lanes);
}

/// What least squares need of codes q of values x.
struct CodeSums {
  float q = 0;
  float qq = 0;
  float qx = 0;
};

/// Of codes of (x + shift) * inverse.
template <int kCount, int kTop>
CodeSums sum_codes(const float* x, float inverse, float shift) {
  Lanes q = all_lanes(0), qq = q, qx = q;
  for (int i = 0; i < kCount; i += kFitLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = code_of<kTop>((value + all_lanes(shift)) * all_lanes(inverse));
    q += code;
    qq += code * code;
    qx += code * value;
  }
  return {sum_of(q), sum_of(qq), sum_of(qx)};
}

/// x is scale * code - min; neither is negative.
struct AffineFit {
  float scale = 0;
  float min = 0;
};

/// The best scale and minimum for given codes, and by how much they are better than zeros.
struct AffineStep {
  AffineFit fit;
  float gain = 0;
};
template <int kCount>
AffineStep solve_affine(const CodeSums& s, float x) {
  const float det = static_cast<float>(kCount) * s.qq - s.q * s.q;
  AffineStep out;
  float low = 0;
  if (det > 0) {
    out.fit.scale = (static_cast<float>(kCount) * s.qx - s.q * x) / det;
    low = (x - out.fit.scale * s.q) / static_cast<float>(kCount);
  }
  if (det <= 0 || low > 0) {
    low = 0;
    out.fit.scale = s.qq > 0 ? s.qx / s.qq : 0.0f;
  }
  out.fit.min = -low;
  const float scale = out.fit.scale;
  out.gain = 2 * (scale * s.qx + low * x) - scale * scale * s.qq - 2 * scale * low * s.q -
             static_cast<float>(kCount) * low * low;
  return out;
}

template <int kCount, int kTop>
AffineFit fit_affine(const float* x) {
  float low = 0;
  float high = x[0];
  float x_sum = 0;
  for (int i = 0; i < kCount; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    x_sum += x[i];
  }
  if (high - low < kScaleLeast) return {0, -low};
  constexpr int kTries = 10;  // on either side
  AffineStep best;
  best.gain = -1;
  for (int t = -kTries; t <= kTries; ++t) {
    const float inverse = (static_cast<float>(kTop) + 0.1f * static_cast<float>(t)) / (high - low);
    const AffineStep step = solve_affine<kCount>(sum_codes<kCount, kTop>(x, inverse, -low), x_sum);
    if (step.fit.scale > 0 && step.gain > best.gain) best = step;
  }
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds && best.fit.scale > 0; ++round) {
    const CodeSums sum = sum_codes<kCount, kTop>(x, inverse_of(best.fit.scale), best.fit.min);
    const AffineStep step = solve_affine<kCount>(sum, x_sum);
    if (step.fit.scale <= 0 || step.gain <= best.gain) break;
    best = step;
  }
  return best.fit;
}

/// The squared error of values as scale * code - min with their nearest codes.
template <int kCount, int kTop>
float error_of(const float* x, float scale, float min) {
  const Lanes inverse = all_lanes(inverse_of(scale));
  Lanes error = all_lanes(0);
  for (int i = 0; i < kCount; i += kFitLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = code_of<kTop>((value + all_lanes(min)) * inverse);
    const Lanes off = value - (all_lanes(scale) * code - all_lanes(min));
    error += off * off;
  }
  return sum_of(error);
}

/// x is scale * (code - kMiddle), codes from 0 to 2 * kMiddle - 1: a scale of either sign.
template <int kMiddle>
inline Lanes middle_code(Lanes scaled) {
  return code_of<2 * kMiddle - 1>(scaled + all_lanes(kMiddle)) - all_lanes(kMiddle);
}

template <int kCount, int kMiddle>
CodeSums sum_middle_codes(const float* x, float inverse) {
  Lanes qq = all_lanes(0), qx = qq;
  for (int i = 0; i < kCount; i += kFitLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes code = middle_code<kMiddle>(value * all_lanes(inverse));
    qq += code * code;
    qx += code * value;
  }
  return {0, sum_of(qq), sum_of(qx)};
}

template <int kCount, int kMiddle>
float middle_error_of(const float* x, float scale) {
  const Lanes inverse = all_lanes(inverse_of(scale));
  Lanes error = all_lanes(0);
  for (int i = 0; i < kCount; i += kFitLanes) {
    const Lanes value = load_lanes(x + i);
    const Lanes off = value - all_lanes(scale) * middle_code<kMiddle>(value * inverse);
    error += off * off;
  }
  return sum_of(error);
}

/// The peak becomes a code of magnitude kMiddle, or somewhat more or less, of either sign: only one
/// side has the code -kMiddle.
template <int kCount, int kMiddle>
float fit_middle(const float* x) {
  float peak = 0;
  for (int i = 0; i < kCount; ++i) {
    if (std::fabs(x[i]) > std::fabs(peak)) peak = x[i];
  }
  if (std::fabs(peak) < kScaleLeast) return 0;
  float best = 0;
  float best_gain = -1;
  const auto take = [&](const CodeSums& s) {
    if (s.qq <= 0 || s.qx * s.qx <= best_gain * s.qq) return false;
    best = s.qx / s.qq;
    best_gain = s.qx * s.qx / s.qq;
    return true;
  };
  constexpr int kBelow = kMiddle <= 4 ? 16 : 9;  // tenths of a code
  constexpr int kAbove = kMiddle <= 4 ? 5 : 9;
  for (int t = -kBelow; t <= kAbove; ++t) {
    const float code = static_cast<float>(kMiddle) + 0.1f * static_cast<float>(t);
    take(sum_middle_codes<kCount, kMiddle>(x, -code / peak));
    if constexpr (kMiddle <= 4) take(sum_middle_codes<kCount, kMiddle>(x, code / peak));
  }
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    if (!take(sum_middle_codes<kCount, kMiddle>(x, inverse_of(best)))) break;
  }
  return best;
}

}  // namespace polaris::block
