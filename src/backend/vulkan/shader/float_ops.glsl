#include "math.glsl"

// One scalar float op; `op` is a specialization constant wherever this is called.
float float_op(uint op, float a, float b, float c, float p0, float p1) {
  switch (op) {
    case kOpIdentity: return a;
    case kOpAbs: return abs(a);
    case kOpNeg: return -a;
    case kOpSqrt: return sqrt(a);
    case kOpExp: return exp(a);
    case kOpLog: return a < 0.0 ? kNan : log(a);
    case kOpSin: return sin_quadrant(a, 0);
    case kOpCos: return sin_quadrant(a, 1);
    case kOpTan: return sin_quadrant(a, 0) / sin_quadrant(a, 1);
    case kOpAsin: return asin_accurate(a);
    case kOpAcos: return a < -0.5 ? 3.14159265358979 - 2.0 * asin_accurate(sqrt(0.5 * (1.0 + a)))
                                  : 2.0 * asin_accurate(sqrt(0.5 * (1.0 - a)));
    case kOpAtan: return atan_accurate(a);
    case kOpSinh: return sinh_accurate(a);
    case kOpCosh: return cosh_accurate(a);
    case kOpTanh: return tanh_accurate(a);
    case kOpAsinh: return asinh_accurate(a);
    case kOpAcosh: return acosh_accurate(a);
    case kOpAtanh: return 0.5 * log((1.0 + a) / (1.0 - a));
    case kOpErf: return erf_accurate(a);
    // Drivers make a maximum of a comparison, and that would lose a NaN.
    case kOpRelu: return is_nan(a) ? a : max(a, 0.0);
    case kOpSigmoid: return sigmoid_accurate(a);
    case kOpHardSigmoid: return clamp(p0 * a + p1, 0.0, 1.0);
    case kOpHardSwish: return a * clamp(a * (1.0 / 6.0) + 0.5, 0.0, 1.0);
    case kOpLeakyRelu: return a < 0.0 ? p0 * a : a;
    case kOpElu: return a < 0.0 ? p0 * (exp(a) - 1.0) : a;
    case kOpSelu: return a > 0.0 ? p1 * a : p1 * p0 * (exp(a) - 1.0);
    case kOpCelu: return max(a, 0.0) + min(0.0, p0 * (exp(a / p0) - 1.0));
    case kOpGelu: return 0.5 * a * (1.0 + erf_accurate(a * 0.70710678118654752));
    case kOpGeluTanh:
      return 0.5 * a * (1.0 + tanh_accurate(0.7978845608028654 * (a + 0.044715 * a * a * a)));
    case kOpMish: return mish_accurate(a);
    case kOpSoftplus: return softplus_accurate(a);
    case kOpSoftsign: return a / (1.0 + abs(a));
    case kOpThresholdedRelu: return a > p0 ? a : 0.0;
    case kOpFloor: return floor(a);
    case kOpCeil: return ceil(a);
    case kOpRound: return roundEven(a);
    case kOpSign: return sign(a);
    case kOpReciprocal: return 1.0 / a;
    case kOpSwish: return a / (1.0 + exp(-p0 * a));
    case kOpIsNaN: return is_nan(a) ? 1.0 : 0.0;
    case kOpIsInf: return is_inf(a) && (a > 0.0 ? p0 : p1) != 0.0 ? 1.0 : 0.0;
    case kOpAdd: return a + b;
    case kOpSub: return a - b;
    case kOpMul: return a * b;
    case kOpDiv: return a / b;
    case kOpPow: return pow_accurate(a, b);
    case kOpFmod: return fmod_accurate(a, b);
    case kOpMod: {
      float r = fmod_accurate(a, b);
      return r != 0.0 && (r < 0.0) != (b < 0.0) ? r + b : r;
    }
    case kOpMin: return is_nan(a) ? a : is_nan(b) ? b : min(a, b);
    case kOpMax: return is_nan(a) ? a : is_nan(b) ? b : max(a, b);
    case kOpPRelu: return a < 0.0 ? a * b : a;
    case kOpEqual: return a == b ? 1.0 : 0.0;
    case kOpGreater: return a > b ? 1.0 : 0.0;
    case kOpGreaterOrEqual: return a >= b ? 1.0 : 0.0;
    case kOpLess: return a < b ? 1.0 : 0.0;
    case kOpLessOrEqual: return a <= b ? 1.0 : 0.0;
    case kOpAddScale: return (a + b) * p0;
    case kOpClip: return min(max(a, b), c);
  }
  return a;
}
