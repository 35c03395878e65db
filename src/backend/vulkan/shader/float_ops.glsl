#include "exact.glsl"
#include "math.glsl"

// Quotients and roots of float32 are rounded to nearest: what follows may round to integers. Those
// of 16 bits are rounded anyway.
bool is_exact(uint type) { return type == kTypeF32; }
// Float16 has no argument that needs the long way.
bool has_far_turns(uint type) { return type != kTypeF16; }

// Ops of so much code that a thread's elements are looped over and not unrolled.
bool is_long(uint op, uint type) {
  if (op == kOpFmod || op == kOpPow) return true;
  if (op == kOpSin || op == kOpCos || op == kOpTan) return has_far_turns(type);
  if (op == kOpLog) return type != kTypeF16;
  const bool exact = op == kOpDiv || op == kOpSqrt || op == kOpReciprocal || op == kOpAddDivide;
  return exact && is_exact(type);
}

float quotient_of(uint type, float a, float b) {
  if (is_exact(type)) return exact_div(a, b);
#ifndef STRAIGHT
  if (type == kTypeF16) return a / b;
#endif
  return wide_div(a, b);  // in a chain also because a driver sees through a plain quotient
}

// Drivers make a minimum or maximum of a comparison, and that would lose a NaN.
float keep_nan(float a, float v) { return is_nan(a) ? a : v; }

// In a chain a driver may see that b has a in it, and take (c + a) - a for c or a - a for 0.
float exact_sum(float a, float b) {
  precise float sum = a + b;
  return sum;
}

// One scalar float op; `op` and `type`, that of operands and result, are specialization constants
// wherever this is called.
float float_op(uint op, uint type, float a, float b, float c, float p0, float p1) {
  switch (op) {
    case kOpIdentity: return a;
    case kOpAbs: return abs(a);
    case kOpNeg: return -a;
    case kOpSqrt:
      if (is_exact(type)) return exact_sqrt(a);
      return sqrt(a);
    case kOpExp: return exp(a);
    case kOpLog: return log_accurate(a, type != kTypeF16);
    case kOpSin: return sin_quadrant(a, 0, has_far_turns(type));
    case kOpCos: return sin_quadrant(a, 1, has_far_turns(type));
    case kOpTan: return tan_accurate(a, has_far_turns(type));
    case kOpAsin: return asin_accurate(a);
    case kOpAcos: return a < -0.5 ? 3.14159265358979 - 2.0 * asin_accurate(sqrt(0.5 * (1.0 + a)))
                                  : 2.0 * asin_accurate(sqrt(0.5 * (1.0 - a)));
    case kOpAtan: return atan_accurate(a);
    case kOpSinh: return sinh_accurate(a);
    case kOpCosh: return cosh_accurate(a);
    case kOpTanh: return tanh_accurate(a);
    case kOpAsinh: return asinh_accurate(a);
    case kOpAcosh: return acosh_accurate(a);
    case kOpAtanh: return atanh_accurate(a);
    case kOpErf: return erf_accurate(a);
    case kOpRelu: return keep_nan(a, max(a, 0.0));
    case kOpSigmoid: return sigmoid_accurate(a);
    case kOpHardSigmoid: return keep_nan(a, clamp(p0 * a + p1, 0.0, 1.0));
    case kOpHardSwish: return a * clamp(a * (1.0 / 6.0) + 0.5, 0.0, 1.0);
    case kOpLeakyRelu: return a < 0.0 ? p0 * a : a;
    case kOpShrink: return a < -p0 ? a + p1 : a > p0 ? a - p1 : 0.0;
    case kOpElu: return a < 0.0 ? p0 * expm1_accurate(a) : a;
    case kOpSelu: return a > 0.0 ? p1 * a : p1 * p0 * expm1_accurate(a);
    case kOpCelu: return a > 0.0 ? a : celu_accurate(a, p0);
    case kOpGelu: return 0.5 * a * (1.0 + erf_accurate(a * 0.70710678118654752));
    case kOpGeluTanh:
      return 0.5 * a * (1.0 + tanh_accurate(0.7978845608028654 * (a + 0.044715 * a * a * a)));
    case kOpMish: return mish_accurate(a);
    case kOpSoftplus: return softplus_accurate(a);
    case kOpSoftsign:
      if (type == kTypeF16) return a / (1.0 + abs(a));
      return wide_div(a, 1.0 + abs(a));
    case kOpThresholdedRelu: return a > p0 ? a : 0.0;
    case kOpFloor: return floor(a);
    case kOpCeil: return ceil(a);
    case kOpRound: return roundEven(a);
    case kOpSign: {
      // Zeros and NaN stay.
      float one = uintBitsToFloat((floatBitsToUint(a) & 0x80000000u) | 0x3F800000u);
      return abs(a) > 0.0 ? one : a;
    }
    case kOpReciprocal: return quotient_of(type, 1.0, a);
    case kOpSwish: return swish_accurate(a, p0);
    case kOpIsNaN: return is_nan(a) ? 1.0 : 0.0;
    case kOpIsInf: return is_inf(a) && (a > 0.0 ? p0 : p1) != 0.0 ? 1.0 : 0.0;
    case kOpAdd: return exact_sum(a, b);
    case kOpSub: return exact_sum(a, -b);
    case kOpMul: return a * b;
    case kOpDiv: return quotient_of(type, a, b);
    case kOpPow: return pow_accurate(a, b);
#ifndef STRAIGHT
    case kOpFmod: return exact_fmod(a, b);
#endif
    case kOpMin: return is_nan(a) ? a : is_nan(b) ? b : min(a, b);
    case kOpMax: return is_nan(a) ? a : is_nan(b) ? b : max(a, b);
    case kOpPRelu: return a < 0.0 ? a * b : a;
    case kOpEqual: return a == b ? 1.0 : 0.0;
    case kOpGreater: return a > b ? 1.0 : 0.0;
    case kOpGreaterOrEqual: return a >= b ? 1.0 : 0.0;
    case kOpLess: return a < b ? 1.0 : 0.0;
    case kOpLessOrEqual: return a <= b ? 1.0 : 0.0;
    case kOpAddScale: return (a + b) * p0;
    case kOpAddDivide: return quotient_of(type, a + b, p0);
    case kOpClip: return keep_nan(a, min(max(a, b), c));
  }
  return a;
}
