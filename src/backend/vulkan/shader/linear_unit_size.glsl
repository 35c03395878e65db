// What a unit of weights is: k of a row, and uvec4 of 64 rows.
#if defined(W_F32)
#define TAIL f
const uint kUnit = 4;
const uint kUnitWords = 64;  // uvec4 of a unit, 64 rows
#elif defined(W_F16)
#define TAIL s
const uint kUnit = 8;
const uint kUnitWords = 64;
#elif defined(W_Q8_0)
const uint kUnit = 32;
const uint kUnitWords = 136;
#elif defined(W_I8)
#define TAIL bytes
const uint kUnit = 32;
const uint kUnitWords = 128;
#elif defined(W_Q4_0)
const uint kUnit = 32;
const uint kUnitWords = 72;
#else
#define BLOCKS
const uint kUnit = 32;
#endif
const uint kStep = kUnit < 8 ? kUnit : 8;
