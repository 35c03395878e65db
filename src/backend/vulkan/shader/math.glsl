// Transcendental functions whose error is known, for ranges where the hardware's is not enough:
// Vulkan promises sin and cos to 2^-11 only, and nothing of tanh and its like for large arguments.
// After exact.glsl.

#define kInf uintBitsToFloat(0x7F800000u)
#define kNan uintBitsToFloat(0x7FC00000u)

bool is_nan(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u; }
bool is_inf(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) == 0x7F800000u; }

// x less `quarters` times pi/2, which is within pi/4 of zero.
struct Reduced {
  float rest;
  int quarters;
};

// Up to here pi/2 in three parts, of which the first has few bits, is near enough.
const float kNearTurns = 8192.0;
Reduced reduce_near(float x) {
  float k = roundEven(x * 0.63661977236758134308);
  return Reduced(((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8,
                 int(k));
}

// The bits of 2/pi, behind a word of zeros.
const uint kTurns[8] = UINTS8(0u, 0xA2F9836Eu, 0x4E441529u, 0xFC2757D1u, 0xF534DDC0u, 0xDB629599u,
                              0x3C439041u, 0xFE5163ABu);

// Words of a product of 24 bits with a long number, which comes from its lowest word on: that one
// only lends its bits to the next.
struct FarProduct {
  uint carry, middle, top, below;
};
FarProduct add_word(FarProduct p, uint mantissa, uint word, uint shift) {
  uint high, low;
  umulExtended(mantissa, (word << shift) | ((p.below >> 1) >> (31u - shift)), high, low);
  low += p.carry;
  return FarProduct(high + (low < p.carry ? 1u : 0u), p.top, low, word);
}

// Any finite x from kNearTurns on, as Payne and Hanek do it: of the bits of 2/pi only 96 matter,
// those before them make whole turns, and the product with 24 bits of x is taken as an integer.
Reduced reduce_far(float x) {
  uint bits = floatBitsToUint(x);
  uint mantissa = (bits & 0x7FFFFFu) | 0x800000u;
  // x is mantissa * 2^(exponent - 150): bits of 2/pi before exponent - 152 make multiples of four.
  uint place = ((bits >> 23) & 255u) - 152u + 32u;
  uint shift = place & 31u, first = place >> 5;
  FarProduct p = FarProduct(0u, 0u, 0u, 0u);
#ifdef STRAIGHT
  p = add_word(p, mantissa, kTurns[first + 3u], shift);
  p.carry = 0u;
  p = add_word(p, mantissa, kTurns[first + 2u], shift);
  p = add_word(p, mantissa, kTurns[first + 1u], shift);
  p = add_word(p, mantissa, kTurns[first], shift);
#else
  LOOP for (uint i = 0u; i < 4u; ++i) {
    p = add_word(p, mantissa, kTurns[first + 3u - i], shift);
    if (i == 0u) p.carry = 0u;
  }
#endif
  // Two bits of quarters and 62 of what is left of one: below zero where the next one is nearer. No
  // float32 comes nearer to one than 2^-30.
  uint high = (p.top << 2) | (p.middle >> 30);
  int quarters = int((p.top >> 30) + (high >> 31));
  float rest = (float(int(high)) + float(p.middle << 2) * 2.3283064365386963e-10) * 3.6572952e-10;
  bool negative = (bits >> 31) != 0u;
  return Reduced(negative ? -rest : rest, negative ? -quarters : quarters);
}

// `far`: arguments above kNearTurns are known to be there; a constant.
Reduced reduce_turns(float x, bool far) {
  if (far && abs(x) > kNearTurns) {
    if (is_inf(x)) return Reduced(kNan, 0);
    return reduce_far(x);
  }
  return reduce_near(x);
}

// Polynomials of the usual float libraries on [-pi/4, pi/4].
float sin_near(float r) {
  float z = r * r;
  return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}
float cos_near(float r) {
  float z = r * r;
  return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z -
         0.5 * z + 1.0;
}

// sin(x) for quadrant 0, cos(x) for quadrant 1.
float sin_quadrant(float x, int quadrant, bool far) {
  Reduced t = reduce_turns(x, far);
  int q = (t.quarters + quadrant) & 3;
  float s = sin_near(t.rest), c = cos_near(t.rest);
  float v = (q & 1) == 0 ? s : c;
  return (q & 2) == 0 ? v : -v;
}

float tan_accurate(float x, bool far) {
  Reduced t = reduce_turns(x, far);
  float s = sin_near(t.rest), c = cos_near(t.rest);
  return (t.quarters & 1) == 0 ? s / c : -c / s;
}

// Drivers take subnormal numbers, which may be there where `small`, for the least normal one.
float log_accurate(float x, bool small) {
  const bool lift = small && x < 1.17549435e-38;
  const float v = log(lift ? x * 16777216.0 : x);
  return x < 0.0 ? kNan : lift ? v - 16.635532333438687 : v;
}

float atan_accurate(float x) {
  float a = abs(x);
  float base = 0.0;
  if (a > 2.414213562373095) {
    base = 1.5707963267948966;
    a = -1.0 / a;
  } else if (a > 0.4142135623730950) {
    base = 0.7853981633974483;
    a = (a - 1.0) / (a + 1.0);
  }
  float z = a * a;
  float y = (((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z -
             3.33329491539e-1) * z * a + a;
  return x < 0.0 ? -(base + y) : base + y;
}

float asin_accurate(float x) {
  float a = abs(x);
  if (a > 1.0) return kNan;
  bool big = a > 0.5;
  float z = big ? 0.5 * (1.0 - a) : a * a;
  float r = big ? sqrt(z) : a;
  float y = ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z +
              7.4953002686e-2) * z + 1.6666752422e-1) * z * r + r;
  if (big) y = 1.5707963267948966 - 2.0 * y;
  return x < 0.0 ? -y : y;
}

float sinh_accurate(float x) {
  float a = abs(x);
  float z = a * a;
  float small = ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * a + a;
  // exp(a - ln 2) keeps arguments up to 89 finite.
  float half_exp = exp(a - 0.69314718055994531);
  float y = a < 1.0 ? small : half_exp - 0.25 / half_exp;
  return x < 0.0 ? -y : y;
}

float cosh_accurate(float x) {
  float half_exp = exp(abs(x) - 0.69314718055994531);
  return half_exp + 0.25 / half_exp;
}

float tanh_accurate(float x) {
  float a = abs(x);
  float z = a * a;
  float small = ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z +
                  1.33314422036e-1) * z - 3.33332819422e-1) * z * a + a;
  float y = a < 0.625 ? small : 1.0 - 2.0 / (exp(2.0 * min(a, 20.0)) + 1.0);
  return is_nan(x) ? x : (x < 0.0 ? -y : y);
}

// Abramowitz and Stegun 7.1.26, absolute error 1.5e-7; odd Taylor terms near 0.
float erf_accurate(float x) {
  float a = min(abs(x), 10.0);
  float t = 1.0 / (1.0 + 0.3275911 * a);
  float p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t +
             0.254829592) * t;
  float far = 1.0 - p * exp(-a * a);
  float z = a * a;
  float near = a * (1.1283791670955126 + z * (-0.3761263890318375 + z * (0.1128379167095513 -
               z * 0.02686617064513125)));
  float y = a < 0.3 ? near : far;
  return is_nan(x) ? x : (x < 0.0 ? -y : y);
}

float asinh_accurate(float x) {
  float a = abs(x);
  float y = a > 1e9 ? log(a) + 0.69314718055994531 : log(a + sqrt(a * a + 1.0));
  return x < 0.0 ? -y : y;
}

float atanh_accurate(float x) {
  return abs(x) > 1.0 ? kNan : 0.5 * log((1.0 + x) / (1.0 - x));
}

float acosh_accurate(float x) {
  if (x < 1.0) return kNan;
  return x > 1e9 ? log(x) + 0.69314718055994531 : log(x + sqrt(x * x - 1.0));
}

float sigmoid_accurate(float x) { return 1.0 / (1.0 + exp(-x)); }

// a times the logistic function of x.
float logistic_times(float a, float x) {
  // Far below 0 the function is e^x, of which the root: a divisor of e^-x would overflow before
  // a times e^x is nothing.
  const bool far = x < -64.0;
  const float e = exp(far ? 0.5 * x : -x);
  // In this order: e squared may be nothing.
  precise float small = a * e;
  small *= e;
  return far ? small : a / (1.0 + e);
}

float swish_accurate(float a, float alpha) { return logistic_times(a, alpha * a); }

// (e^x - 1) / x for |x| below kNearZero, where the difference itself would lose its digits.
const float kNearZero = 0.4;
float expm1_slope(float x) {
  return (((((x * (1.0 / 7.0) + 1.0) * x * (1.0 / 6.0) + 1.0) * x * 0.2 + 1.0) * x * 0.25 + 1.0) *
          x * (1.0 / 3.0) + 1.0) * x * 0.5 + 1.0;
}

float expm1_accurate(float x) { return abs(x) < kNearZero ? x * expm1_slope(x) : exp(x) - 1.0; }

// alpha * (e^(x / alpha) - 1); near 0 alpha cancels, because a quotient of it may be subnormal.
float celu_accurate(float x, float alpha) {
  const float t = wide_div(x, alpha);
  return abs(t) < kNearZero ? x * expm1_slope(t) : alpha * (exp(t) - 1.0);
}

float softplus_accurate(float x) { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }

float mish_accurate(float x) {
  // tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2)
  float e = exp(min(x, 20.0));
  float n = e * (e + 2.0);
  return x > 20.0 ? x : x * (n / (n + 2.0));
}

// log2(x) of a positive number with a small relative error near 1 too, where Vulkan promises an
// absolute one; a power makes it large.
float log2_accurate(float x) {
  float scale = 0.0;
  if (x < 1.17549435e-38) {
    x *= 16777216.0;
    scale = 24.0;
  }
  uint bits = floatBitsToUint(x);
  // The mantissa in [sqrt(1/2), sqrt(2)).
  int exponent = int(bits - 0x3F3504F3u) >> 23;
  float m = uintBitsToFloat(bits - uint(exponent << 23));
  float s = (m - 1.0) / (m + 1.0);
  float z = s * s;
  float y = s * (2.8853900817779268 + z * (0.9617966939259756 + z * (0.5770780163555854 +
            z * (0.4121985831111324 + z * 0.32059889797532516))));
  return (float(exponent) - scale) + y;
}

float pow_accurate(float x, float y) {
  if (y == 0.0 || x == 1.0) return 1.0;
  if (is_nan(x) || is_nan(y)) return kNan;
  float a = abs(x);
  float r = a == 0.0 || is_inf(a) ? ((a == 0.0) == (y < 0.0) ? kInf : 0.0)
                                  : exp2(y * log2_accurate(a));
  if (is_inf(y)) r = a == 1.0 ? 1.0 : (a > 1.0) == (y > 0.0) ? kInf : 0.0;
  if (y == 1.0) r = a;
  if (y == 2.0) r = x * x;
  if (y == 0.5 && !is_inf(x)) r = sqrt(x);
  if ((floatBitsToUint(x) >> 31) != 0u && y != 2.0) {
    float whole = trunc(y);
    if (whole != y) return a == 0.0 || is_inf(a) ? r : kNan;
    // Floats from 2^24 on are even.
    bool odd = abs(y) < 16777216.0 && (int(whole) & 1) != 0;
    if (odd) r = -r;
  }
  return r;
}
