#version 450
#extension GL_GOOGLE_include_directive : require
// variants: float -DDOMAIN_FLOAT
// variants: int -DDOMAIN_INT
// variants: int64 -DDOMAIN_INT64
// variants: bits -DDOMAIN_BITS
//
// One elementwise op of up to three operands with broadcast. The domain is what values are between
// load and store; types, op and addressing are specialization constants, so that a driver folds
// the rest away. Each thread does four elements, 256 apart, so that loads coalesce.
#include "common.glsl"
#include "elements.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint OP = 0;
layout(constant_id = 1) const uint TYPE_A = 0;
layout(constant_id = 2) const uint TYPE_B = 0;
layout(constant_id = 3) const uint TYPE_C = 0;
layout(constant_id = 4) const uint TYPE_OUT = 0;
layout(constant_id = 5) const uint MODE_A = 0;
layout(constant_id = 6) const uint MODE_B = 0;
layout(constant_id = 7) const uint MODE_C = 0;
layout(constant_id = 8) const uint DIMS = 0;  // of the collapsed shape, where an operand is strided

layout(push_constant) uniform Push {
  uint count;
  float p0;
  float p1;
  uint base_a;  // first elements: bindings start at aligned bytes
  uint base_b;
  uint base_c;
  uint base_out;
} push;

BUFFER(0, a)
BUFFER(1, b)
BUFFER(2, c)
BUFFER_OUT(3, result)
// Per dim, innermost first: fast divisor, then the strides of a, b and c.
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
  uint a;
  uint b;
  uint c;
};
layout(binding = 4) readonly buffer Dims { Dim dims[]; };

void store_bits(uint i, uvec2 v) { STORE_BITS(result, TYPE_OUT, i, v) }

#if defined(DOMAIN_FLOAT)
#include "float_ops.glsl"
#define VALUE float
#define LOAD(NAME, TYPE, I)                                                     \
  (TYPE <= kTypeBF16 ? LOAD_FLOAT(NAME, TYPE, I)                                \
                     : from_bits(TYPE, LOAD_BITS(NAME, TYPE, I)))
// Rounded once: to nearest for float32, else so that a last bit of 1 says that something is lost,
// and the narrower type is rounded to by all of it.
float from_magnitude(uvec2 m) {
  if (m.y == 0u && m.x < 0x1000000u) return float(m.x);
  const int top = m.y != 0u ? 32 + findMSB(m.y) : findMSB(m.x);
  // Shifted up until the highest bit is in front.
  if (top < 32) m = uvec2(0u, m.x);
  const int up = 31 - (top & 31);
  if (up != 0) m = uvec2(m.x << up, (m.y << up) | (m.x >> (32 - up)));
  uint kept = m.y >> 8;
  const uint next = m.y & 255u;
  if (TYPE_OUT == kTypeF16 || TYPE_OUT == kTypeBF16) {
    if (next != 0u || m.x != 0u) kept |= 1u;
  } else if (next > 128u || (next == 128u && (m.x != 0u || (kept & 1u) != 0u))) {
    kept++;
  }
  return float(kept) * uintBitsToFloat(uint(top - 23 + 127) << 23);
}
float from_bits(uint type, uvec2 bits) {
  const bool with_sign = type == kTypeI64 || type == kTypeI32;
  if (type != kTypeI64 && type != kTypeU64 && type != kTypeI32 && type != kTypeU32) {
    return float(int(bits.x));
  }
  const bool wide = type == kTypeI64 || type == kTypeU64;
  const bool negative = with_sign && int(wide ? bits.y : bits.x) < 0;
  if (!wide) bits.y = negative ? ~0u : 0u;
  if (negative) bits = uvec2(~bits.x + 1u, ~bits.y + (bits.x == 0u ? 1u : 0u));
  const float v = from_magnitude(bits);
  return negative ? -v : v;
}
// Toward zero, saturated, NaN to zero.
uvec2 to_wide(float v, bool is_signed) {
  float m = trunc(abs(v));
  if (is_nan(v) || (v < 0.0 && !is_signed)) return uvec2(0);
  if (is_signed && m >= 9223372036854775808.0) {
    return v < 0.0 ? uvec2(0u, 0x80000000u) : uvec2(~0u, 0x7FFFFFFFu);
  }
  if (m >= 18446744073709551616.0) return uvec2(~0u);
  float high = floor(m * (1.0 / 4294967296.0));
  uvec2 w = uvec2(uint(m - high * 4294967296.0), uint(high));
  if (v < 0.0) w = uvec2(~w.x + 1u, ~w.y + (w.x == 0u ? 1u : 0u));
  return w;
}
uint to_int(float v, float low, float high) {
  if (is_nan(v)) return 0u;
  if (v >= 2147483648.0) return high >= 2147483648.0 ? 0x7FFFFFFFu : uint(int(high));
  if (v <= -2147483648.0) return low <= -2147483648.0 ? 0x80000000u : uint(int(low));
  return uint(int(clamp(trunc(v), low, high)));
}
void store(uint i, float v) {
  switch (TYPE_OUT) {
    case kTypeF32: result_f[i] = v; break;
    case kTypeF16:
      if (TYPE_A == kTypeF16) {
        result_h[i] = float16_t(v);
      } else {
        result_s[i] = uint16_t(half_bits(v));
      }
      break;
    case kTypeBF16: result_s[i] = uint16_t(bfloat_bits(v)); break;
    case kTypeBool: {
      // A cast goes by the bits: a comparison may take a subnormal for zero. Others give 0 or 1.
      const bool is = OP == kOpIdentity ? (floatBitsToUint(v) << 1) != 0u : v != 0.0;
      result_b[i] = uint8_t(is ? 1u : 0u);
      break;
    }
    case kTypeI8: result_b[i] = uint8_t(to_int(v, -128.0, 127.0) & 0xFFu); break;
    case kTypeU8: result_b[i] = uint8_t(to_int(v, 0.0, 255.0)); break;
    case kTypeI16: result_s[i] = uint16_t(to_int(v, -32768.0, 32767.0) & 0xFFFFu); break;
    case kTypeU16: result_s[i] = uint16_t(to_int(v, 0.0, 65535.0)); break;
    case kTypeI32: result_w[i] = to_int(v, -2147483648.0, 2147483648.0); break;
    case kTypeU32: {
      uvec2 w = to_wide(v, false);
      result_w[i] = w.y != 0u ? ~0u : w.x;
      break;
    }
    case kTypeI64: result_l[i] = to_wide(v, true); break;
    case kTypeU64: result_l[i] = to_wide(v, false); break;
  }
}
float apply(float a, float b, float c) { return float_op(OP, TYPE_A, a, b, c, push.p0, push.p1); }

#elif defined(DOMAIN_BITS)
#define VALUE uvec2
#define LOAD(NAME, TYPE, I) LOAD_BITS(NAME, TYPE, I)
void store(uint i, uvec2 v) { store_bits(i, v); }
uvec2 apply(uvec2 a, uvec2 b, uvec2 c) { return OP == kOpWhere ? (a.x != 0u ? b : c) : a; }

#else
#include "ints.glsl"
#ifdef DOMAIN_INT64
void store(uint i, VALUE v) {
  if (TYPE_OUT == kTypeBool) {
    result_b[i] = uint8_t(v != VALUE(0) ? 1u : 0u);
  } else {
    store_bits(i, to_bits(v));
  }
}
#else
void store(uint i, VALUE v) {
  if (TYPE_OUT == kTypeBool) {
    result_b[i] = uint8_t(v != 0 ? 1u : 0u);
  } else if (TYPE_OUT == kTypeF32) {
    result_f[i] = TYPE_A == kTypeU32 ? float(uint(v)) : float(v);
  } else if (TYPE_OUT == kTypeI64 || TYPE_OUT == kTypeU64) {
    result_l[i] = uvec2(uint(v), TYPE_A == kTypeU32 ? 0u : uint(v >> 31));
  } else {
    store_bits(i, to_bits(v));
  }
}
#endif
#define LOAD(NAME, TYPE, I) from_bits(TYPE, LOAD_BITS(NAME, TYPE, I))
const bool UNSIGNED = WIDE_UNSIGNED(TYPE_A);
const VALUE ZERO = VALUE(0);
const VALUE ONE = VALUE(1);
VALUE quotient(VALUE a, VALUE b) {
  if (b == ZERO) return ZERO;
  if (UNSIGNED) return VALUE(UVALUE(a) / UVALUE(b));
  return b == -ONE ? -a : a / b;  // the lowest value over -1 wraps
}
// A negative exponent gives the inverse truncated.
VALUE power(VALUE a, VALUE exponent) {
  UVALUE n = UVALUE(exponent);
  if (!WIDE_UNSIGNED(TYPE_B) && exponent < ZERO) {
    if (a == -ONE && !UNSIGNED) return (exponent & ONE) != ZERO ? -ONE : ONE;
    return a == ONE ? ONE : ZERO;
  }
  VALUE r = ONE;
  while (n != UVALUE(0)) {
    if ((n & UVALUE(1)) != UVALUE(0)) r *= a;
    a *= a;
    n >>= 1;
  }
  return r;
}
bool less(VALUE a, VALUE b) { return UNSIGNED ? UVALUE(a) < UVALUE(b) : a < b; }
uint width() {
  return TYPE_A == kTypeI8 || TYPE_A == kTypeU8     ? 8u
         : TYPE_A == kTypeI16 || TYPE_A == kTypeU16 ? 16u
         : TYPE_A == kTypeI64 || TYPE_A == kTypeU64 ? 64u
                                                    : 32u;
}
VALUE apply(VALUE a, VALUE b, VALUE c) {
  switch (OP) {
    case kOpAbs: return !UNSIGNED && a < ZERO ? -a : a;
    case kOpNeg: return -a;
    case kOpRelu: return !UNSIGNED && a < ZERO ? ZERO : a;
    case kOpSign: return a == ZERO ? ZERO : !UNSIGNED && a < ZERO ? -ONE : ONE;
    case kOpNot: return a == ZERO ? ONE : ZERO;
    case kOpBitNot: return ~a;
    case kOpAdd: return a + b;
    case kOpSub: return a - b;
    case kOpMul: return a * b;
    case kOpDiv: return quotient(a, b);
    case kOpPow: return power(a, b);
    case kOpFmod: return b == ZERO ? ZERO : a - quotient(a, b) * b;
    case kOpMod: {
      if (b == ZERO) return ZERO;
      VALUE r = a - quotient(a, b) * b;
      return !UNSIGNED && r != ZERO && (r ^ b) < ZERO ? r + b : r;
    }
    case kOpMin: return less(a, b) ? a : b;
    case kOpMax: return less(a, b) ? b : a;
    case kOpPRelu: return !UNSIGNED && a < ZERO ? a * b : a;
    case kOpEqual: return a == b ? ONE : ZERO;
    case kOpGreater: return less(b, a) ? ONE : ZERO;
    case kOpGreaterOrEqual: return less(a, b) ? ZERO : ONE;
    case kOpLess: return less(a, b) ? ONE : ZERO;
    case kOpLessOrEqual: return less(b, a) ? ZERO : ONE;
    case kOpAnd: return a & b;
    case kOpOr: return a | b;
    case kOpXor: return a ^ b;
    case kOpShiftLeft: return UVALUE(b) >= UVALUE(width()) ? ZERO : a << int(b);
    case kOpShiftRight:
      return UVALUE(b) >= UVALUE(width()) ? ZERO : VALUE(UVALUE(a) >> int(b));
    case kOpClip: {
      VALUE low = less(a, b) ? b : a;
      return less(c, low) ? c : low;
    }
  }
  return a;
}
#endif

void element(uint i) {
  if (i < push.count) {
    uint ia = push.base_a + (MODE_A == kModeSame ? i : 0u);
    uint ib = push.base_b + (MODE_B == kModeSame ? i : 0u);
    uint ic = push.base_c + (MODE_C == kModeSame ? i : 0u);
    uint rest = i;
    [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
      uint next = 0u, at = rest;
      if (d + 1u < DIMS) {
        next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
        at = rest - next * dims[d].size;
      }
      if (MODE_A == kModeStrided) ia += at * dims[d].a;
      if (MODE_B == kModeStrided) ib += at * dims[d].b;
      if (MODE_C == kModeStrided) ic += at * dims[d].c;
      rest = next;
    }
    VALUE a = LOAD(a, TYPE_A, ia);
    VALUE b = LOAD(b, TYPE_B, ib);
    VALUE c = LOAD(c, TYPE_C, ic);
    store(push.base_out + i, apply(a, b, c));
  }
}

void main() {
  uint first = group_index() * 1024u + gl_LocalInvocationID.x;
#ifdef DOMAIN_FLOAT
  // A bound that no driver knows keeps the loop; one call of element halves what drivers compile.
  uint rounds = is_long(OP, TYPE_A) ? min(4u, push.count) : 4u;
#else
  const uint rounds = 4u;
#endif
  [[unroll]] for (uint k = 0u; k < rounds; ++k) element(first + k * 256u);
}
