// Conversions and division that give the host's bits on every device: a GPU's own division may be
// off by a few units, and its conversion to binary16 may truncate.

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

// a / b rounded to nearest for finite a and b; subnormals count as zero.
float exact_div(float a, float b) {
  const uint ua = floatBitsToUint(a), ub = floatBitsToUint(b);
  const uint s = (ua ^ ub) & 0x80000000u;
  int exponent = int((ua >> 23) & 255u) - int((ub >> 23) & 255u) + 127;
  if ((ua & 0x7F800000u) == 0) return uintBitsToFloat(s);
  if ((ub & 0x7F800000u) == 0) return uintBitsToFloat(s | 0x7F800000u);
  const uint ma = (ua & 0x7FFFFFu) | 0x800000u, mb = (ub & 0x7FFFFFu) | 0x800000u;
  // The quotient of the mantissas as an integer of 24 bits, then settled by its remainder.
  const uint shift = ma >= mb ? 23u : 24u;
  uint quotient = uint(float(ma) / float(mb) * float(1u << shift));
  int rest = int((ma << shift) - quotient * mb);  // small, so the low words are enough
  for (uint i = 0; i < 16 && rest < 0; i++) {
    rest += int(mb);
    quotient--;
  }
  for (uint i = 0; i < 16 && rest >= int(mb); i++) {
    rest -= int(mb);
    quotient++;
  }
  if (2u * uint(rest) >= mb) quotient++;
  exponent += ma >= mb ? 0 : -1;
  if (exponent <= 0) return uintBitsToFloat(s);
  if (exponent >= 255) return uintBitsToFloat(s | 0x7F800000u);
  return uintBitsToFloat(s | ((uint(exponent) << 23) + (quotient - 0x800000u)));
}

// round_half_even(x / scale), the quotient being rounded to fp32 first, for quotients below 2^12;
// larger ones may be off by one and nan gives 0. Only near a tie must the division be exact.
int quantized(float x, float scale) {
  float q = x / scale;
  if (!(abs(q) < 4096.0)) return q > 0.0 ? 65536 : (q < 0.0 ? -65536 : 0);
  if (abs(abs(q - roundEven(q)) - 0.5) < 0.01) q = exact_div(x, scale);
  return int(roundEven(q));
}

// The same, exact for quotients below 2^17; larger ones saturate any 16-bit type.
int quantized_wide(float x, float scale) {
  float q = x / scale;
  if (!(abs(q) < 262144.0)) return q > 0.0 ? 262144 : (q < 0.0 ? -262144 : 0);
  return int(roundEven(exact_div(x, scale)));
}
