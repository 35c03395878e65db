// Transcendental functions whose error is known, for ranges where the hardware's is not enough:
// Vulkan promises sin and cos to 2^-11 only, and nothing of tanh and its like for large arguments.

#define kInf uintBitsToFloat(0x7F800000u)
#define kNan uintBitsToFloat(0x7FC00000u)

bool is_nan(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u; }
bool is_inf(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) == 0x7F800000u; }

// sin(x) for quadrant 0, cos(x) for quadrant 1: reduced by pi/2 in three parts, then the
// polynomials of the usual float libraries on [-pi/4, pi/4].
float sin_quadrant(float x, int quadrant) {
  float k = roundEven(x * 0.63661977236758134308);
  float r = ((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8;
  int q = (int(k) + quadrant) & 3;
  float z = r * r;
  float s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
  float c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z -
            0.5 * z + 1.0;
  float v = (q & 1) == 0 ? s : c;
  return (q & 2) == 0 ? v : -v;
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

float acosh_accurate(float x) {
  if (x < 1.0) return kNan;
  return x > 1e9 ? log(x) + 0.69314718055994531 : log(x + sqrt(x * x - 1.0));
}

float sigmoid_accurate(float x) { return 1.0 / (1.0 + exp(-x)); }

float softplus_accurate(float x) { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }

float mish_accurate(float x) {
  // tanh(log(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2)
  float e = exp(min(x, 20.0));
  float n = e * (e + 2.0);
  return x > 20.0 ? x : x * (n / (n + 2.0));
}

float pow_accurate(float x, float y) {
  if (y == 0.0) return 1.0;
  if (y == 2.0) return x * x;
  if (y == 0.5) return sqrt(x);
  float r = exp2(y * log2(abs(x)));
  if (x == 0.0) r = y > 0.0 ? 0.0 : kInf;
  if (x < 0.0) {
    float whole = trunc(y);
    if (whole != y) return kNan;
    // Floats from 2^24 on are even.
    bool odd = abs(y) < 16777216.0 && (int(whole) & 1) != 0;
    if (odd) r = -r;
  }
  return r;
}

// Remainder with the dividend's sign; the quotient may be off by one where it is nearly whole.
float fmod_accurate(float a, float b) {
  float r = a - b * trunc(a / b);
  float m = abs(b);
  if (a >= 0.0) {
    if (r < 0.0) r += m;
    if (r >= m) r -= m;
  } else {
    if (r > 0.0) r -= m;
    if (r <= -m) r += m;
  }
  return is_inf(b) && !is_inf(a) ? a : r;
}
