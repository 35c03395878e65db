#version 450
// Reductions over any axes of fp32, and ArgMax and ArgMin. The kept dims number the outputs, the
// reduced ones are walked in row-major order: by a workgroup an output, or by a thread.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kOp = 0;
layout(constant_id = 2) const uint kColumns = 0;  // 1: a thread an output
layout(constant_id = 3) const uint kKept = 1;     // dims, innermost first in the params
layout(constant_id = 4) const uint kReduced = 1;
layout(constant_id = 5) const uint kLast = 0;     // Arg ops: of equal elements the last

const uint kSum = 0, kMean = 1, kMax = 2, kMin = 3, kProd = 4, kL1 = 5, kL2 = 6, kSumSquare = 7,
           kLogSum = 8, kLogSumExp = 9, kArgMax = 10, kArgMin = 11;

layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 1) writeonly restrict buffer Y { float y[]; };
layout(set = 0, binding = 1) writeonly restrict buffer I { uvec2 indices[]; };
layout(set = 0, binding = 2) readonly restrict buffer D { uvec2 dims[]; };  // size, stride
layout(push_constant) uniform P {
  uint outputs;
  uint count;  // elements of one output
};

const bool kArg = kOp == kArgMax || kOp == kArgMin;
const bool kLargest = kOp == kMax || kOp == kArgMax || kOp == kLogSumExp;
const bool kSmallest = kOp == kMin || kOp == kArgMin;
#define kInf uintBitsToFloat(0x7F800000u)

shared float part[kThreads];
shared uint part_index[kArg ? kThreads : 1];

uint offset_of(uint i, uint first, uint rank) {
  uint offset = 0;
  for (uint d = 0; d + 1 < rank; d++) {
    offset += i % dims[first + d].x * dims[first + d].y;
    i /= dims[first + d].x;
  }
  return rank == 0 ? 0 : offset + i * dims[first + rank - 1].y;
}

// A running result over elements already seen; peak is LogSumExp's maximum.
struct State {
  float value;
  uint index;
};

State start(bool peak_pass) {
  if (kOp == kProd) return State(1.0, 0);
  if (peak_pass || (kLargest && kOp != kLogSumExp)) return State(-kInf, 0);
  if (kSmallest) return State(kInf, 0);
  return State(0.0, 0);
}

bool better(State a, State b) {
  if (a.value == b.value) return kLast != 0 ? a.index > b.index : a.index < b.index;
  return kOp == kArgMax ? a.value > b.value : a.value < b.value;
}

State join(State a, State b, bool peak_pass) {
  if (kArg) {
    if (better(b, a)) return b;
    return a;
  }
  if (peak_pass || kOp == kMax) return State(max(a.value, b.value), 0);
  if (kOp == kMin) return State(min(a.value, b.value), 0);
  if (kOp == kProd) return State(a.value * b.value, 0);
  return State(a.value + b.value, 0);
}

State element(uint base, uint i, bool peak_pass, float peak) {
  float v = x[base + offset_of(i, kKept, kReduced)];
  if (kOp == kL1) v = abs(v);
  if (kOp == kL2 || kOp == kSumSquare) v = v * v;
  if (kOp == kLogSumExp && !peak_pass) v = exp(v - peak);
  return State(v, i);
}

// All elements from `first` on in steps; whole workgroups join theirs in a fixed order.
State walk(uint base, uint first, uint step, bool peak_pass, float peak) {
  State s = start(peak_pass);
  if (kArg && first < count) s = element(base, first, peak_pass, peak);
  for (uint i = first + (kArg ? step : 0); i < count; i += step) {
    s = join(s, element(base, i, peak_pass, peak), peak_pass);
  }
  if (kColumns != 0) return s;
  const uint tid = gl_LocalInvocationIndex;
  part[tid] = s.value;
  if (kArg) part_index[tid] = first < count ? s.index : 0xFFFFFFFFu;
  barrier();
  for (uint half_size = kThreads / 2; half_size > 0; half_size /= 2) {
    if (tid < half_size) {
      State other = State(part[tid + half_size], kArg ? part_index[tid + half_size] : 0);
      if (!kArg || other.index != 0xFFFFFFFFu) {
        State mine = join(State(part[tid], kArg ? part_index[tid] : 0), other, peak_pass);
        part[tid] = mine.value;
        if (kArg) part_index[tid] = mine.index;
      }
    }
    barrier();
  }
  State result = State(part[0], kArg ? part_index[0] : 0);
  barrier();
  return result;
}

void finish(uint at, State s, float peak) {
  if (kArg) {
    indices[at] = uvec2(s.index, 0);
    return;
  }
  float v = s.value;
  if (kOp == kMean) v = v / float(count);
  if (kOp == kL2) v = sqrt(v);
  if (kOp == kLogSum) v = log(v);
  if (kOp == kLogSumExp) v = peak + log(v);
  y[at] = v;
}

void main() {
  const uint tid = gl_LocalInvocationIndex;
  const uint at = kColumns != 0 ? group_index() * kThreads + tid : group_index();
  if (at >= outputs) return;
  const uint base = offset_of(at, 0, kKept);
  const uint first = kColumns != 0 ? 0 : tid, step = kColumns != 0 ? 1 : kThreads;
  float peak = 0;
  if (kOp == kLogSumExp) {
    peak = walk(base, first, step, true, 0).value;
    if (abs(peak) == kInf) peak = 0;
  }
  State s = walk(base, first, step, false, peak);
  if (kColumns != 0 || tid == 0) finish(at, s, peak);
}
