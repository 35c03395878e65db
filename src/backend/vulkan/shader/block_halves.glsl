// 16-bit words of a block: scales and codes. C++ proves them to be those of tensor/encoding.h
// (block_shaders.h).
const uint kQ4_0Halves = 9u;
const uint kQ8_0Halves = 17u;
const uint kQ4_1Halves = 10u;
const uint kQ5_0Halves = 11u;
const uint kQ5_1Halves = 12u;
const uint kQ4_KHalves = 72u;
const uint kQ5_KHalves = 88u;
const uint kQ6_KHalves = 105u;
