#version 450
// variants: f32 -DC_F32
// variants: f16 -DC_F16
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// variants: turned_f32 -DC_F32 -DTURNED
// variants: turned_f16 -DC_F16 -DTURNED
// variants: turned_q8_0 -DC_Q8_0 -DTURNED
// variants: turned_q4_0 -DC_Q4_0 -DTURNED
// Writes rows of k and v into their slots of the caches; z chooses the cache. Blocks come out byte
// for byte as the host's encoder makes them, so nothing here may be contracted or approximate.
// TURNED: k is turned on its way as RotaryEmbedding does, and z 2 turns q.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "exact.glsl"
#include "block_halves.glsl"

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kRowType = 0;
#include "rows.glsl"
#ifdef TURNED
layout(constant_id = 1) const uint kHead = 64;         // elements of a head
layout(constant_id = 2) const uint kHalf = 32;         // pairs of it that are turned
layout(constant_id = 3) const uint kInterleaved = 0;   // a pair are neighbours, else kHalf apart
layout(constant_id = 4) const uint kPositionWords = 1; // of a position: 1 int32, 2 int64
#endif

// Elements of a block, and those of it that a thread writes.
#if defined(C_F32) || defined(C_F16)
const uint kUnit = 1, kEach = 1;
#elif defined(C_Q8_0)
const uint kUnit = 32, kEach = 2;
#else
const uint kUnit = 32, kEach = 4;
#endif
#if defined(C_F32)
#define CELL float
#define VALUE float
#else
#define CELL uint16_t
#define VALUE uint
#endif

ROWS_IN(k, 0);
ROWS_IN(v, 1);
layout(set = 0, binding = 2) readonly restrict buffer S { int slots[]; };
layout(set = 0, binding = 3) writeonly restrict buffer CK { CELL cache_k[]; };
layout(set = 0, binding = 4) writeonly restrict buffer CV { CELL cache_v[]; };
layout(push_constant) uniform P {
  uint units;      // of a row
  uint rows;       // of the cache
  uint zero;       // 0, which no compiler knows
#ifdef TURNED
  uint q_row;      // elements of a row of q
  uint table_rows;
#endif
};

#ifdef TURNED
ROWS_IN(q, 5);
ROWS_OUT(turned_q, 6);
layout(set = 0, binding = 7) readonly restrict buffer I { uint ids[]; };
layout(set = 0, binding = 8) readonly restrict buffer A { float cosines[]; };
layout(set = 0, binding = 9) readonly restrict buffer B { float sines[]; };
// A position out of range.
layout(set = 0, binding = 10) writeonly restrict buffer R { int status; };

// The row of the tables for a token. A position that has none is told, saturated to 32 bits.
uint angles_of(uint token) {
  const uint high = kPositionWords == 2 ? ids[token * 2 + 1] : 0u;
  const uint row = ids[token * kPositionWords];
  if (row < table_rows && high == 0u) return row * kHalf;
  status = kPositionWords == 2 && high != uint(int(row) >> 31)
               ? (int(high) < 0 ? int(0x80000000u) : 0x7FFFFFFF)
               : int(row);
  return (table_rows - 1) * kHalf;
}

float raw(uint i) { return gl_WorkGroupID.z == 0 ? ROWS_LOAD(k, 0, i) : ROWS_LOAD(q, 0, i); }

// Element i of k or q, rows being whole heads.
float turned(uint i) {
  const uint angles = angles_of(gl_WorkGroupID.y), d = i % kHead;
  if (d >= 2 * kHalf) return raw(i);
  const bool second = kInterleaved != 0 ? (d & 1u) != 0 : d >= kHalf;
  const uint apart = kInterleaved != 0 ? 1 : kHalf;
  const uint first = second ? i - apart : i;
  const uint pair = kInterleaved != 0 ? d >> 1 : (second ? d - kHalf : d);
  const float a = raw(first), b = raw(first + apart);
  const float c = cosines[angles + pair], s = sines[angles + pair];
  return second ? a * s + b * c : a * c - b * s;
}

// A turned row has the type of the rows before it is written.
float rounded(float value) { return kRowType == 0 ? value : row_half(row_bits(value), 0); }
float load(uint i) { return gl_WorkGroupID.z == 0 ? rounded(turned(i)) : ROWS_LOAD(v, 0, i); }
#else
float load(uint i) { return gl_WorkGroupID.z == 0 ? ROWS_LOAD(k, 0, i) : ROWS_LOAD(v, 0, i); }
#endif
void store(uint i, VALUE value) {
  if (gl_WorkGroupID.z == 0) {
    cache_k[i] = CELL(value);
  } else {
    cache_v[i] = CELL(value);
  }
}

// a * b rounded by itself: one driver was seen to contract what `precise` forbids.
float product(float a, float b) { return uintBitsToFloat(floatBitsToUint(a * b) ^ zero); }

#if defined(C_F32) || defined(C_F16)
void write_unit(uint from, uint to, bool inside) {
  if (!inside) return;
#ifdef C_F32
  store(to, load(from));
#else
  store(to, half_bits(load(from)));
#endif
}
#else
const uint kLanes = kUnit / kEach;  // of a block
shared float elements[64 * kEach];
shared float largest[64];

// Of two elements the one that decides a block's scale; of equals the first.
float larger(float a, float b) {
#ifdef C_Q8_0
  return max(a, abs(b));
#else
  return abs(b) > abs(a) ? b : a;
#endif
}

// Threads of a block read and compare its elements together; each codes one word of it.
void write_unit(uint from, uint to, bool inside) {
  const uint lane = gl_LocalInvocationIndex, part = lane % kLanes, first = lane - part;
  float most = 0;
  [[unroll]] for (uint i = 0; i < kEach; i++) {
    const float x = inside ? load(from + part * kEach + i) : 0;
    elements[lane * kEach + i] = x;
    most = larger(most, x);
  }
  largest[lane] = most;
  barrier();
  if (!inside) return;
  most = largest[first];
  [[unroll]] for (uint i = 1; i < kLanes; i++) most = larger(most, largest[first + i]);
#ifdef C_Q8_0
  const float d = exact_div(most, 127.0), inverse = d == 0 ? 0 : exact_div(1.0, d);
  uint pair = 0;
  [[unroll]] for (uint b = 0; b < 2; b++) {
    precise float scaled = product(elements[lane * 2 + b], inverse);
    precise float whole = trunc(scaled);
    precise float rest = abs(scaled - whole);
    if (rest >= 0.5) whole += sign(scaled);
    pair |= (uint(int(whole)) & 255u) << (8 * b);
  }
  if (part == 0) store(to * kQ8_0Halves, half_bits(d));
  store(to * kQ8_0Halves + 1 + part, pair);
#else
  // A block of zeros has the scale -0, as the host's division leaves it.
  const float nothing = uintBitsToFloat(~floatBitsToUint(most) & 0x80000000u);
  const float d = abs(most) < 1.0e-37 ? nothing : most * -0.125;
  const float inverse = d == 0 ? 0 : exact_div(1.0, d);
  uint quad = 0;
  [[unroll]] for (uint b = 0; b < 4; b++) {
    // Two bytes: the low nibbles, then the high ones 16 elements on.
    const uint e = 2 * part + (b & 1u) + (b >> 1) * 16;
    precise float scaled = product(elements[first * 4 + e], inverse);
    precise float shifted = scaled + 8.5;
    quad |= uint(min(15, int(shifted))) << (8 * (b & 1u) + 4 * (b >> 1));
  }
  if (part == 0) store(to * kQ4_0Halves, half_bits(d));
  store(to * kQ4_0Halves + 1 + part, quad);
#endif
}
#endif

void main() {
  const uint token = gl_WorkGroupID.y, thread = gl_WorkGroupID.x * 64 + gl_LocalInvocationIndex;
#ifdef TURNED
  if (gl_WorkGroupID.z == 2) {
    if (thread < q_row) ROWS_STORE(turned_q, token * q_row + thread, turned(token * q_row + thread))
    return;
  }
#endif
  const int slot = slots[token];
  if (slot < 0 || slot >= int(rows)) return;
  const uint unit = thread * kEach / kUnit;
  write_unit((token * units + unit) * kUnit, uint(slot) * units + unit, unit < units);
}
