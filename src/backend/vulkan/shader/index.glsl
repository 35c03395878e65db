// Indices of 4 or 8 bytes, as words: the low word of a wide one says all that fits a tensor here.
// Declares the buffer at binding BINDING and WIDE as constant 0.
layout(constant_id = 0) const uint WIDE = 0;
#define INDEX_BUFFER(BINDING) layout(binding = BINDING) readonly buffer Indices { int words[]; };
// Negative ones count from the end; what lies outside is clamped, because it comes from data.
#define INDEX(I, SIZE) index_in(words[WIDE != 0u ? 2u * (I) : (I)], SIZE)
uint index_in(int i, uint size) {
  return uint(clamp(i < 0 ? i + int(size) : i, 0, int(size) - 1));
}
