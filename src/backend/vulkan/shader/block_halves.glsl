// 16-bit units of a block: a float16 scale and its quants. C++ proves them to be those of
// tensor/encoding.h (block_shaders.h).
const uint kQ4_0Halves = 9u;
const uint kQ8_0Halves = 17u;
