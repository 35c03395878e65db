// Conversions and division that give the host's bits on every device: a GPU's own division may be
// off by a few units, and its conversion to binary16 may truncate. A shader that has to be free of
// loops defines STRAIGHT.

// What is rare stays a loop, so that it takes little room.
#ifndef LOOP
#define LOOP [[dont_unroll]]
#define UINTS8(a, b, c, d, e, f, g, h) uint[8](a, b, c, d, e, f, g, h)
#endif

uint half_bits(float f) {
  uint bits = floatBitsToUint(f), s = (bits >> 16) & 0x8000u, m = bits & 0x7FFFFFFFu;
  if (m > 0x7F800000u) return s | 0x7E00u;
  if (m >= 0x477FF000u) return s | 0x7C00u;
  if (m < 0x38800000u) {
    precise float shifted = uintBitsToFloat(m) + 0.5;
    return s | (floatBitsToUint(shifted) - 0x3F000000u);
  }
  return s | ((m - 0x38000000u + 0xFFFu + ((m >> 13) & 1u)) >> 13);
}

// a / b for a divisor of any size. A device may multiply by the reciprocal instead, and above 2^126
// that is subnormal: it counts as zero, and the quotient with it.
float wide_div(float a, float b) {
  const float scale = abs(b) > 4.0e37 ? 0.0625 : 1.0;
  return (a * scale) / (b * scale);
}

// A division that may be off by a few units is settled by the remainder of whole mantissas; so is a
// square root. Both are rounded to nearest where operands and result are normal numbers; where one
// is not, they are what the device says.
float exact_div(float a, float b) {
  const uint ua = floatBitsToUint(a), ub = floatBitsToUint(b);
  const uint ma = (ua & 0x7FFFFFu) | 0x800000u, mb = (ub & 0x7FFFFFu) | 0x800000u;
  // The quotient as an integer of 24 bits, then settled by its remainder.
  const float divisor = float(mb);
  const uint shift = ma >= mb ? 23u : 24u;
#ifdef STRAIGHT
  // Too small by some, which are what the remainder has of the divisor, but for the last of them.
  uint quotient = min(uint(float(ma) / divisor * float(1u << shift) - 6.0), 0xFFFFFFu);
  uint left = (ma << shift) - quotient * mb;  // small, so the low words are enough
  const uint missing = min(uint(float(left) / divisor + 0.5), 15u);
  quotient += missing;
  int rest = int(left - missing * mb);
  if (rest < 0) {
    rest += int(mb);
    quotient--;
  }
#else
  uint quotient = uint(float(ma) / divisor * float(1u << shift));
  int rest = int((ma << shift) - quotient * mb);  // small, so the low words are enough
  LOOP for (uint i = 0u; i < 16u && rest < 0; i++) {
    rest += int(mb);
    quotient--;
  }
  LOOP for (uint i = 0u; i < 16u && rest >= int(mb); i++) {
    rest -= int(mb);
    quotient++;
  }
#endif
  if (2u * uint(rest) >= mb) quotient++;
  const uint ea = (ua >> 23) & 255u, eb = (ub >> 23) & 255u;
  const uint exponent = ea - eb + (150u - shift);
  if (max(max(ea - 1u, eb - 1u), exponent - 1u) >= 254u) return wide_div(a, b);
  const uint s = (ua ^ ub) & 0x80000000u;
  return uintBitsToFloat(s | ((exponent << 23) + (quotient - 0x800000u)));
}

float exact_sqrt(float a) {
  const uint ua = floatBitsToUint(a);
  const uint exponent = (ua >> 23) & 255u;
  if ((ua >> 23) - 1u >= 254u) return sqrt(a);
  // The mantissa with an even exponent: its root has 24 bits.
  const uint m = (ua & 0x7FFFFFu) | 0x800000u, shift = 24u - (exponent & 1u);
  uint root = min(uint(sqrt(float(m) * float(1u << shift))), 0xFFFFFFu);
  int rest = int((m << shift) - root * root);
  const int off = int(roundEven(float(rest) / float(2u * root)));
  root += uint(off);
  rest = int((m << shift) - root * root);
  if (rest > int(root)) root++;
  if (-rest >= int(root)) root--;
  return uintBitsToFloat((((exponent + 127u) >> 1) << 23) + (root - 0x800000u));
}

#ifndef STRAIGHT
// The remainder of a / b with the sign of a, exact: mantissas, a bit of the quotient a round, at
// most 278 of them.
float exact_fmod(float a, float b) {
  const uint ua = floatBitsToUint(a) & 0x7FFFFFFFu, ub = floatBitsToUint(b) & 0x7FFFFFFFu;
  if (ua >= 0x7F800000u || ub > 0x7F800000u || ub == 0u) return uintBitsToFloat(0x7FC00000u);
  if (ua < ub) return a;
  const uint s = floatBitsToUint(a) & 0x80000000u;
  uint ra = ua & 0x7FFFFFu, mb = ub & 0x7FFFFFu;
  int ea = int(ua >> 23), eb = int(ub >> 23);
  if (ea != 0) {
    ra |= 0x800000u;
  } else {
    ea = findMSB(ra) - 22;
    ra <<= 1 - ea;
  }
  if (eb != 0) {
    mb |= 0x800000u;
  } else {
    eb = findMSB(mb) - 22;
    mb <<= 1 - eb;
  }
  if (ra >= mb) ra -= mb;
  LOOP for (int left = ea - eb; left > 0 && ra != 0u; left--) {
    ra <<= 1;
    if (ra >= mb) ra -= mb;
  }
  if (ra == 0u) return uintBitsToFloat(s);
  const int lift = 23 - findMSB(ra);
  const int exponent = eb - lift;
  if (exponent > 0) {
    return uintBitsToFloat(s | ((ra << lift) & 0x7FFFFFu) | (uint(exponent) << 23));
  }
  return uintBitsToFloat(s | (eb > 0 ? ra << (eb - 1) : ra >> (1 - eb)));
}
#endif

// round_half_even(x / scale), the quotient being rounded to fp32 first, for quotients below 2^12;
// larger ones may be off by one and nan gives 0. Only near a tie must the division be exact.
int quantized(float x, float scale) {
  float q = wide_div(x, scale);
  if (!(abs(q) < 4096.0)) return q > 0.0 ? 65536 : (q < 0.0 ? -65536 : 0);
  if (abs(abs(q - roundEven(q)) - 0.5) < 0.01) q = exact_div(x, scale);
  return int(roundEven(q));
}

// The same, exact for quotients below 2^17; larger ones saturate any 16-bit type.
int quantized_wide(float x, float scale) {
  float q = wide_div(x, scale);
  if (!(abs(q) < 262144.0)) return q > 0.0 ? 262144 : (q < 0.0 ? -262144 : 0);
  return int(roundEven(exact_div(x, scale)));
}
