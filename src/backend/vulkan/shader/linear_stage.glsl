// What a decoder does before and after a product, as part of it:
//   scaled    the rows of x were not divided by the root of their mean square: their results are
//   gate      y = activation(x @ w^T) * (x @ other^T): even groups are of w, odd ones of the other
//   residual  is added to the result
//   squares   of every 32 results the sum is written, from which the next product has its divisor
//   normed    y times a norm's scale is written too
// Included by linear.comp, after its constants and buffers.
#include "exact.glsl"
#include "math.glsl"

const bool kScaled = (kStage & 1u) != 0, kResidual = (kStage & 2u) != 0;
const bool kNormed = (kStage & 8u) != 0;
const uint kMatrices = kGate != 0 ? 2 : 1;
const uint kResults = kGroups / kMatrices;  // row groups that a workgroup gives

layout(set = 0, binding = 4) readonly restrict buffer W1 { uvec4 other_w[]; };
layout(set = 0, binding = 4) readonly restrict buffer S1 { float16_t other_s[]; };
layout(set = 0, binding = 4) readonly restrict buffer F1 { float other_f[]; };
layout(set = 0, binding = 4) readonly restrict buffer O1 { uint8_t other_bytes[]; };
layout(set = 0, binding = 4) readonly restrict buffer V1 { vec2 other_scales[]; };
layout(set = 0, binding = 5) readonly restrict buffer A { float residual[]; };
layout(set = 0, binding = 6) readonly restrict buffer Q { float squares[]; };
layout(set = 0, binding = 7) readonly restrict buffer N { float norm_scale[]; };
layout(set = 0, binding = 8) writeonly restrict buffer Y1 { float normed[]; };
layout(set = 0, binding = 9) writeonly restrict buffer Q1 { float new_squares[]; };

#define GROUP_FIRST (gl_WorkGroupID.y / kHalves * kResults)
#define GROUP(g) min(group + (g) / kMatrices, group_last)
#define OTHER(g) ((g) % kMatrices == 1)
// Converted before one is chosen: what narrow types can do but be stored is not asked of a device.
#define LOAD_EITHER(type, other, name, at) ((other) ? type(other_##name[at]) : type(name[at]))
#define LOAD_W(type, other, name, at) LOAD_EITHER(type, other, name, at)

// The sums of squares of each column, in sixteen parts.
shared float sixteenths[kScaled ? kCols * 16 : 1];

// Early, so that nothing waits for them; each sum is in the same order whatever the tile.
void load_squares(uint c0) {
  if (!kScaled) return;
  [[unroll]] for (uint start = 0; start < kCols * 16; start += kThreads) {
    const uint i = start + gl_LocalInvocationIndex;
    if (i >= kCols * 16) continue;
    const uint first = min(c0 + i / 16, t - 1) * squares_in;
    float sum = 0;
    for (uint at = i % 16; at < squares_in; at += 128) {
      float some[8];
      [[unroll]] for (uint j = 0; j < 8; j++) {
        some[j] = squares[first + min(at + 16 * j, squares_in - 1)];
      }
      [[unroll]] for (uint j = 0; j < 8; j++) {
        if (at + 16 * j < squares_in) sum += some[j];
      }
    }
    sixteenths[i] = sum;
  }
}

// 1 / the root of the mean square of a row of x, behind a barrier.
float inverse_of(uint c) {
  if (!kScaled) return 1.0;
  float sum = 0;
  [[unroll]] for (uint i = 0; i < 16; i++) sum += sixteenths[c * 16 + i];
  return 1.0 / sqrt(sum / size + epsilon);
}

float sum_of_slices(uint a, uint in_slice) {
  float r = part[a * kSlices * kLanes + in_slice];
  [[unroll]] for (uint i = 1; i < kSlices; i++) r += part[(a * kSlices + i) * kLanes + in_slice];
  return r;
}

// GELU by tanh is v times (1 + tanh(x)) / 2, which is the logistic function of 2x.
float activation(float v) {
  const float x = kGate == 2 ? 1.5957691216057308 * (v + 0.044715 * v * v * v) : v;
  return logistic_times(v, x);
}

// Row `row` of w with row `col` of x, from the sums of its matrices: stores the
// result and gives its square.
float finish(float sums[2], float inverse, uint row, uint col) {
  float r = sums[0] * inverse;
  if (kHasBias != 0) r += LOAD_FLOAT(bias, kTypeBias, row);
  if (kGate != 0) r = activation(r) * (sums[1] * inverse);
  const uint at = col * y_n + row;
  if (kResidual) r += residual[at];
  STORE_FLOAT(y, kTypeY, at, r)
  if (kNormed) normed[at] = r * norm_scale[row];
  return r * r;
}

// Adds up the squares of this workgroup's rows, those of column c being with the threads of one
// slice. `first` is the number of its first sum.
void add_squares(float square[kCols], uint first, uint c0, uint slice, uint in_slice) {
  const uint tid = gl_LocalInvocationIndex, sums = kLanes / 32, all = kCols * sums;
  barrier();
  [[unroll]] for (uint c = 0; c < kCols; c++) {
    if (c % kSlices == slice) part[c * kLanes + in_slice] = square[c];
  }
  barrier();
  float sum = 0;
  if (tid / 4 < all) {
    [[unroll]] for (uint i = 0; i < 8; i++) sum += part[tid / 4 * 32 + tid % 4 + 4 * i];
  }
  barrier();
  if (tid / 4 < all) part[tid] = sum;
  barrier();
  if (tid >= all || first + tid % sums >= squares_out) return;
  sum = 0;
  [[unroll]] for (uint i = 0; i < 4; i++) sum += part[tid * 4 + i];
  new_squares[(c0 + tid / sums) * squares_out + first + tid % sums] = sum;
}
