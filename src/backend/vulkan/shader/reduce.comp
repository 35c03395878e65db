#version 450
// variants: float -DDOMAIN_FLOAT
// variants: int
// variants: int64 -DDOMAIN_INT64
// Reductions over any axes, and ArgMax and ArgMin. The kept dims number the outputs, the reduced
// ones are walked in row-major order: by a workgroup an output, or by a thread. The domain is what
// values are between load and store.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
#ifdef DOMAIN_FLOAT
#include "exact.glsl"
#else
#include "ints.glsl"
#endif
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kOp = 0;
layout(constant_id = 2) const uint kColumns = 0;  // 1: a thread an output
layout(constant_id = 3) const uint kKept = 1;     // dims, innermost first in the params
layout(constant_id = 4) const uint kReduced = 1;
layout(constant_id = 5) const uint kLast = 0;     // Arg ops: of equal elements the last
layout(constant_id = 6) const uint kType = 0;     // of x, and of y but for Arg ops

const uint kSum = 0, kMean = 1, kMax = 2, kMin = 3, kProd = 4, kL1 = 5, kL2 = 6, kSumSquare = 7,
           kLogSum = 8, kLogSumExp = 9, kArgMax = 10, kArgMin = 11;

BUFFER_IN(0, x)
BUFFER_OUT(1, y)
layout(set = 0, binding = 2) readonly restrict buffer D { uvec2 dims[]; };  // size, stride
layout(push_constant) uniform P {
  uint outputs;
  uint count;  // elements of one output
};

const bool kArg = kOp == kArgMax || kOp == kArgMin;

#ifdef DOMAIN_FLOAT
#define VALUE float
#define kLowest uintBitsToFloat(0xFF800000u)
#define kHighest uintBitsToFloat(0x7F800000u)
VALUE load(uint i) { return LOAD_FLOAT(x, kType, i); }
bool above(VALUE a, VALUE b) { return a > b; }
bool is_nan(VALUE v) { return (floatBitsToUint(v) & 0x7FFFFFFFu) > 0x7F800000u; }
void finish(uint at, VALUE v, VALUE peak) {
  if (kOp == kMean) v = exact_div(v, float(count));
  if (kOp == kL2) v = exact_sqrt(v);
  if (kOp == kLogSum) v = log(v);
  if (kOp == kLogSumExp) v = peak + log(v);
  STORE_FLOAT(y, kType, at, v)
}
// A product of many leaves the range of floats on its way, and threads join in another order than
// the definition: exponents are added apart, so that no zero or infinity comes of the order.
const bool kScaled = kOp == kProd;
// The number, without its exponent where it is normal and not zero.
VALUE mantissa(VALUE v, inout uint exponent) {
  const uint bits = floatBitsToUint(v), field = (bits >> 23) & 255u;
  if (field - 1u >= 254u) return v;
  exponent += field - 127u;
  return uintBitsToFloat((bits & 0x807FFFFFu) | 0x3F800000u);
}
VALUE scaled(VALUE v, uint exponent) {
  const int e = clamp(int(exponent), -300, 300), third = e / 3;
  const VALUE step = uintBitsToFloat(uint(third + 127) << 23);
  // In this order: the factors together may be nothing, which would make a NaN of an infinity.
  precise VALUE r = v * step;
  r *= step;
  r *= uintBitsToFloat(uint(e - 2 * third + 127) << 23);
  return r;
}
#else
const bool kScaled = false;
VALUE mantissa(VALUE v, inout uint exponent) { return v; }
VALUE scaled(VALUE v, uint exponent) { return v; }
const bool kUnsigned = WIDE_UNSIGNED(kType);
#define kLowest (kUnsigned ? VALUE(0) : VALUE(1) << int(kValueBits - 1))
#define kHighest (~kLowest)
VALUE load(uint i) { return from_bits(kType, LOAD_BITS(x, kType, i)); }
bool above(VALUE a, VALUE b) { return kUnsigned ? UVALUE(a) > UVALUE(b) : a > b; }
bool is_nan(VALUE v) { return false; }
VALUE exp(VALUE v) { return v; }  // no op of integers calls it
// The largest root whose square is at most v, bit by bit. A sum of squares has no sign.
VALUE whole_root(VALUE v) {
  UVALUE root = UVALUE(0);
  for (UVALUE bit = UVALUE(1) << int(kValueBits / 2u - 1u); bit != UVALUE(0); bit >>= 1) {
    UVALUE more = root | bit;
    if (more * more <= UVALUE(v)) root = more;
  }
  return VALUE(root);
}
void finish(uint at, VALUE v, VALUE peak) {
  if (kOp == kMean) v = count == 0u ? VALUE(0) : v / VALUE(count);
  if (kOp == kL2) v = whole_root(v);
  STORE_BITS(y, kType, at, to_bits(v))
}
#endif

shared VALUE part[kThreads];
shared uint part_index[kArg || kScaled ? kThreads : 1];

uint offset_of(uint i, uint first, uint rank) {
  uint offset = 0;
  for (uint d = 0; d + 1 < rank; d++) {
    offset += i % dims[first + d].x * dims[first + d].y;
    i /= dims[first + d].x;
  }
  return rank == 0 ? 0 : offset + i * dims[first + rank - 1].y;
}

// A running result over elements already seen; peak is LogSumExp's maximum.
struct State {
  VALUE value;
  uint index;  // of an Arg op; the exponent of a scaled product
};

State start(bool peak_pass) {
  if (kOp == kProd) return State(VALUE(1), 0);
  if (peak_pass || kOp == kMax || kOp == kArgMax) return State(kLowest, 0);
  if (kOp == kMin || kOp == kArgMin) return State(kHighest, 0);
  return State(VALUE(0), 0);
}

// A NaN comes before every number, and beside another NaN.
bool better(State a, State b) {
  const bool nan_a = is_nan(a.value), nan_b = is_nan(b.value);
  if (a.value == b.value || (nan_a && nan_b)) {
    return kLast != 0 ? a.index > b.index : a.index < b.index;
  }
  if (nan_a || nan_b) return nan_a;
  return kOp == kArgMax ? above(a.value, b.value) : above(b.value, a.value);
}

// better() of an element that comes after all that `s` is of.
bool better_later(State e, State s) {
  if (kLast != 0) {
    return is_nan(e.value) || e.value == s.value ||
           (kOp == kArgMax ? above(e.value, s.value) : above(s.value, e.value));
  }
  return (kOp == kArgMax ? above(e.value, s.value) : above(s.value, e.value)) ||
         (is_nan(e.value) && !is_nan(s.value));
}

State join(State a, State b, bool peak_pass) {
  if (kArg) {
    if (better(b, a)) return b;
    return a;
  }
  // A NaN wins over any number.
  if (peak_pass || kOp == kMax) {
    return State(is_nan(a.value) || above(a.value, b.value) ? a.value : b.value, 0);
  }
  if (kOp == kMin) return State(is_nan(a.value) || above(b.value, a.value) ? a.value : b.value, 0);
  if (kOp == kProd) {
    uint exponent = a.index + b.index;
    const VALUE v = mantissa(a.value * b.value, exponent);
    return State(v, exponent);
  }
  return State(a.value + b.value, 0);
}

State element(uint base, uint i, bool peak_pass, VALUE peak) {
  VALUE v = load(base + offset_of(i, kKept, kReduced));
  if (kOp == kL1 && above(VALUE(0), v)) v = -v;
  if (kOp == kL2 || kOp == kSumSquare) v = v * v;
  if (kOp == kLogSumExp && !peak_pass) v = exp(v - peak);
  if (kScaled) {
    uint exponent = 0;
    v = mantissa(v, exponent);
    return State(v, exponent);
  }
  return State(v, i);
}

// All elements from `first` on in steps; whole workgroups join theirs in a fixed order.
State walk(uint base, uint first, uint step, bool peak_pass, VALUE peak) {
  State s = start(peak_pass);
  if (kArg && first < count) s = element(base, first, peak_pass, peak);
  for (uint i = first + (kArg ? step : 0); i < count; i += step) {
    State e = element(base, i, peak_pass, peak);
    if (kArg) {
      if (better_later(e, s)) s = e;
    } else {
      s = join(s, e, peak_pass);
    }
  }
  if (kColumns != 0) return s;
  const uint tid = gl_LocalInvocationIndex;
  part[tid] = s.value;
  if (kArg) part_index[tid] = first < count ? s.index : 0xFFFFFFFFu;
  if (kScaled) part_index[tid] = s.index;
  barrier();
  for (uint half_size = kThreads / 2; half_size > 0; half_size /= 2) {
    if (tid < half_size) {
      State other = State(part[tid + half_size], kArg || kScaled ? part_index[tid + half_size] : 0);
      if (!kArg || other.index != 0xFFFFFFFFu) {
        State mine = State(part[tid], kArg || kScaled ? part_index[tid] : 0);
        mine = join(mine, other, peak_pass);
        part[tid] = mine.value;
        if (kArg || kScaled) part_index[tid] = mine.index;
      }
    }
    barrier();
  }
  State result = State(part[0], kArg || kScaled ? part_index[0] : 0);
  barrier();
  return result;
}

void main() {
  const uint tid = gl_LocalInvocationIndex;
  const uint at = kColumns != 0 ? group_index() * kThreads + tid : group_index();
  if (at >= outputs) return;
  const uint base = offset_of(at, 0, kKept);
  const uint first = kColumns != 0 ? 0 : tid, step = kColumns != 0 ? 1 : kThreads;
  VALUE peak = VALUE(0);
  if (kOp == kLogSumExp) {
    peak = walk(base, first, step, true, VALUE(0)).value;
    if (peak == kLowest || peak == kHighest) peak = VALUE(0);
  }
  State s = walk(base, first, step, false, peak);
  if (kColumns == 0 && tid != 0) return;
  if (kArg) {
    y_l[at] = uvec2(s.index, 0);
  } else {
    finish(at, kScaled ? scaled(s.value, s.index) : s.value, peak);
  }
}
