#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/block_codes.h"
#include "tensor/block_fit.h"
#include "tensor/block_pack.h"
#include "tensor/block_quantize.h"

/// Formats of 256 elements whose scales are integers times a float16: first each run of elements
/// gets the scale that it would like, then integers and float16 are chosen beside each other for
/// the error of the whole block.
namespace polaris::block {
namespace {

constexpr int kRounds = 2;  // of float16 scales

float rounded_half(float v) { return f16_to_f32(f32_to_f16(v)); }

void put_codes(Lanes codes, std::uint8_t* out) {
  for (int l = 0; l < kFitLanes; ++l) out[l] = static_cast<std::uint8_t>(codes[l]);
}

/// The integer nearest to want / unit, in [low, top].
int nearest(float want, float unit, int low, int top) {
  if (unit == 0) return 0;
  const float ratio = std::clamp(want / unit, static_cast<float>(low), static_cast<float>(top));
  return static_cast<int>(std::lround(ratio));
}

/// d * s * q - m * t with q up to kTop, s and t up to kScaleTop, of each kRun elements.
template <int kRun, int kTop, int kScaleTop>
class AffineSuper {
 public:
  static constexpr int kRuns = kSuper / kRun;
  struct Choice {
    float d = 0;
    float m = 0;
    std::uint8_t scales[kRuns] = {};
    std::uint8_t mins[kRuns] = {};
    float error = 0;
  };

  explicit AffineSuper(const float* x) : x_(x) {
    for (int r = 0; r < kRuns; ++r) wanted_[r] = fit_affine<kRun, kTop>(x + r * kRun);
  }

  Choice run() const {
    float scale = 0;
    float min = 0;
    for (const AffineFit& fit : wanted_) {
      scale = std::max(scale, fit.scale);
      min = std::max(min, fit.min);
    }
    Choice best = choose(rounded_half(scale / kScaleTop), rounded_half(min / kScaleTop));
    for (int round = 0; round < kRounds; ++round) {
      const auto [d, m] = solve(best);
      if (d == best.d && m == best.m) break;
      const Choice next = choose(d, m);
      if (next.error >= best.error) break;
      best = next;
    }
    return best;
  }

  void codes(const Choice& choice, std::uint8_t* out) const {
    for (int i = 0; i < kSuper; i += kFitLanes) {
      const int run = i / kRun;
      const float scale = choice.d * static_cast<float>(choice.scales[run]);
      const float min = choice.m * static_cast<float>(choice.mins[run]);
      const Lanes shifted = load_lanes(x_ + i) + all_lanes(min);
      put_codes(code_of<kTop>(shifted * all_lanes(inverse_of(scale))), out + i);
    }
  }

 private:
  /// The best integers for given float16.
  Choice choose(float d, float m) const {
    Choice out;
    out.d = d;
    out.m = m;
    for (int r = 0; r < kRuns; ++r) out.error += choose_run(out, r);
    return out;
  }

  float choose_run(Choice& out, int r) const {
    const int scale = nearest(wanted_[r].scale, out.d, 0, kScaleTop);
    const int min = nearest(wanted_[r].min, out.m, 0, kScaleTop);
    float best = -1;
    for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, kScaleTop); ++s) {
      for (int t = std::max(min - 1, 0); t <= std::min(min + 1, kScaleTop); ++t) {
        const float error = error_of<kRun, kTop>(x_ + r * kRun, out.d * static_cast<float>(s),
                                                 out.m * static_cast<float>(t));
        if (best >= 0 && error >= best) continue;
        best = error;
        out.scales[r] = static_cast<std::uint8_t>(s);
        out.mins[r] = static_cast<std::uint8_t>(t);
      }
    }
    return best;
  }

  struct Halves {
    float d;
    float m;
  };
  /// The best float16 for given integers and the codes that they lead to, by least squares.
  Halves solve(const Choice& choice) const {
    double ss = 0, st = 0, tt = 0, sx = 0, tx = 0;
    for (int r = 0; r < kRuns; ++r) {
      const float scale = choice.d * static_cast<float>(choice.scales[r]);
      const float min = choice.m * static_cast<float>(choice.mins[r]);
      const float* x = x_ + r * kRun;
      const CodeSums sums = sum_codes<kRun, kTop>(x, inverse_of(scale), min);
      const double s = choice.scales[r];
      const double t = choice.mins[r];
      double x_sum = 0;
      for (int i = 0; i < kRun; ++i) x_sum += static_cast<double>(x[i]);
      ss += s * s * static_cast<double>(sums.qq);
      st += s * t * static_cast<double>(sums.q);
      tt += t * t * kRun;
      sx += s * static_cast<double>(sums.qx);
      tx += t * x_sum;
    }
    const double det = ss * tt - st * st;
    double d = ss > 0 ? sx / ss : 0;
    double m = ss > 0 || tt == 0 ? 0 : -tx / tt;
    if (det > 0) {
      d = (sx * tt - st * tx) / det;
      m = (sx * st - ss * tx) / det;
    }
    if (d < 0 || m < 0) return {choice.d, choice.m};
    return {rounded_half(static_cast<float>(d)), rounded_half(static_cast<float>(m))};
  }

  const float* x_;
  AffineFit wanted_[kRuns];
};

/// d * s * (q - kMiddle) with s from -kScaleMiddle up to one less than that, of each 16 elements.
template <int kMiddle, int kScaleMiddle>
class MiddleSuper {
 public:
  static constexpr int kRun = 16;
  static constexpr int kRuns = kSuper / kRun;
  struct Choice {
    float d = 0;
    std::int8_t scales[kRuns] = {};
    float error = 0;
  };

  explicit MiddleSuper(const float* x) : x_(x) {
    for (int r = 0; r < kRuns; ++r) wanted_[r] = fit_middle<kRun, kMiddle>(x + r * kRun);
  }

  Choice run() const {
    const float peak = *std::max_element(
        wanted_, wanted_ + kRuns, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
    Choice best = choose(rounded_half(-peak / kScaleMiddle));
    for (int round = 0; round < kRounds; ++round) {
      const float d = solve(best);
      if (d == best.d) break;
      const Choice next = choose(d);
      if (next.error >= best.error) break;
      best = next;
    }
    return best;
  }

  void codes(const Choice& choice, std::uint8_t* out) const {
    for (int i = 0; i < kSuper; i += kFitLanes) {
      const int run = i / kRun;
      const float scale = choice.d * static_cast<float>(choice.scales[run]);
      const Lanes scaled = load_lanes(x_ + i) * all_lanes(inverse_of(scale));
      put_codes(middle_code<kMiddle>(scaled) + all_lanes(kMiddle), out + i);
    }
  }

 private:
  Choice choose(float d) const {
    Choice out;
    out.d = d;
    for (int r = 0; r < kRuns; ++r) {
      const int scale = nearest(wanted_[r], d, -kScaleMiddle, kScaleMiddle - 1);
      float best = -1;
      for (int s = std::max(scale - 1, -kScaleMiddle); s <= std::min(scale + 1, kScaleMiddle - 1);
           ++s) {
        const float error =
            middle_error_of<kRun, kMiddle>(x_ + r * kRun, d * static_cast<float>(s));
        if (best >= 0 && error >= best) continue;
        best = error;
        out.scales[r] = static_cast<std::int8_t>(s);
      }
      out.error += best;
    }
    return out;
  }

  float solve(const Choice& choice) const {
    double ss = 0, sx = 0;
    for (int r = 0; r < kRuns; ++r) {
      const float scale = choice.d * static_cast<float>(choice.scales[r]);
      const CodeSums sums = sum_middle_codes<kRun, kMiddle>(x_ + r * kRun, inverse_of(scale));
      const double s = choice.scales[r];
      ss += s * s * static_cast<double>(sums.qq);
      sx += s * static_cast<double>(sums.qx);
    }
    return ss > 0 ? rounded_half(static_cast<float>(sx / ss)) : 0.0f;
  }

  const float* x_;
  float wanted_[kRuns];
};

/// The way back of scales_q4_k.
void pack_six_bits(const std::uint8_t* scales, const std::uint8_t* mins, std::byte* p) {
  for (int i = 0; i < 4; ++i) {
    p[i] = to_byte(scales[i] | (static_cast<unsigned>(scales[i + 4]) >> 4) << 6);
    p[i + 4] = to_byte(mins[i] | (static_cast<unsigned>(mins[i + 4]) >> 4) << 6);
    p[i + 8] = to_byte((scales[i + 4] & 15u) | (mins[i + 4] & 15u) << 4);
  }
}

template <int kTop>
void quantize_six_bits(const float* in, std::byte* block, std::uint8_t* codes) {
  const AffineSuper<32, kTop, 63> super(in);
  const auto choice = super.run();
  super.codes(choice, codes);
  put_half(block, f32_to_f16(choice.d));
  put_half(block + kQ4KMin, f32_to_f16(choice.m));
  pack_six_bits(choice.scales, choice.mins, block + kQ4KScales);
}

}  // namespace

void quantize_q2_k(const float* in, std::byte* block) {
  std::uint8_t codes[kSuper];
  const AffineSuper<16, 3, 15> super(in);
  const auto choice = super.run();
  super.codes(choice, codes);
  std::memset(block, 0, kQ2Min + 2);
  for (int r = 0; r < 16; ++r) {
    block[r] = to_byte(choice.scales[r] | static_cast<unsigned>(choice.mins[r]) << 4);
  }
  for (int half = 0; half < 2; ++half) {
    pack_pairs(codes + 128 * half, 0, block + kQ2Codes + 32 * half);
  }
  put_half(block + kQ2Scale, f32_to_f16(choice.d));
  put_half(block + kQ2Min, f32_to_f16(choice.m));
}

void quantize_q3_k(const float* in, std::byte* block) {
  std::uint8_t codes[kSuper];
  const MiddleSuper<4, 32> super(in);
  const auto choice = super.run();
  super.codes(choice, codes);
  std::memset(block, 0, kQ3Scale + 2);
  pack_bits(codes, 2, block);
  for (int half = 0; half < 2; ++half) {
    pack_pairs(codes + 128 * half, 0, block + kQ3Codes + 32 * half);
  }
  for (int r = 0; r < 16; ++r) {
    const auto scale = static_cast<unsigned>(choice.scales[r] + 32);
    block[kQ3Scales + r % 8] |= to_byte((scale & 15u) << (r < 8 ? 0 : 4));
    block[kQ3Scales + 8 + r % 4] |= to_byte((scale >> 4) << (2 * (r / 4)));
  }
  put_half(block + kQ3Scale, f32_to_f16(choice.d));
}

void quantize_q4_k(const float* in, std::byte* block) {
  std::uint8_t codes[kSuper];
  quantize_six_bits<15>(in, block, codes);
  for (int j = 0; j < 4; ++j) pack_nibbles<32>(codes + 64 * j, block + kQ4KCodes + 32 * j);
}

void quantize_q5_k(const float* in, std::byte* block) {
  std::uint8_t codes[kSuper];
  quantize_six_bits<31>(in, block, codes);
  std::memset(block + kQ5KHigh, 0, 32);
  pack_bits(codes, 4, block + kQ5KHigh);
  for (int j = 0; j < 4; ++j) pack_nibbles<32>(codes + 64 * j, block + kQ5KCodes + 32 * j);
}

void quantize_q6_k(const float* in, std::byte* block) {
  std::uint8_t codes[kSuper];
  const MiddleSuper<32, 128> super(in);
  const auto choice = super.run();
  super.codes(choice, codes);
  for (int half = 0; half < 2; ++half) {
    std::memset(block + kQ6High + 32 * half, 0, 32);
    pack_nibbles<64>(codes + 128 * half, block + 64 * half);
    pack_pairs(codes + 128 * half, 4, block + kQ6High + 32 * half);
  }
  for (int r = 0; r < 16; ++r) block[kQ6Scales + r] = static_cast<std::byte>(choice.scales[r]);
  put_half(block + kQ6Scale, f32_to_f16(choice.d));
}

}  // namespace polaris::block
