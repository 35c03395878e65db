float from_bfloat(uint bits) { return uintBitsToFloat(bits << 16); }

uint bfloat_bits(float v) {
  uint u = floatBitsToUint(v);
  // A NaN must not be rounded to an infinity.
  return (u & 0x7FFFFFFFu) > 0x7F800000u ? (u >> 16) | 0x40u
                                         : (u + 0x7FFFu + ((u >> 16) & 1u)) >> 16;
}
