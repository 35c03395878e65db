#version 450
// variants: f32
// variants: f16 -DHALF
// variants: i8_i32 -DINTEGER
// variants: i8_i8 -DINTEGER -DREQUANTIZE
// variants: transposed_f32 -DTRANSPOSED
// variants: transposed_f16 -DTRANSPOSED -DHALF
// Direct convolution of one to three spatial dims. A lane takes kPixels output pixels, side by side
// with its neighbours; kOut output channels stay in registers and their weights, packed as
// [group][tile of channels][tap][input channel][kOut], come through the scalar unit. The slices of
// a workgroup deal the input channels and are summed in order.
//
// Transposed, every output gathers the taps that reach it. The outputs of a workgroup are of one
// phase (their place modulo the strides), so that all its lanes have the same taps.
//
// Integers go through fp32 too: (x - zx)(w - zw) is at most 255 * 255, so 256 of them add up
// exactly before they are moved to int32.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "slice.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 64;
layout(constant_id = 1) const uint kOut = 16;
layout(constant_id = 2) const uint kPixels = 2;
layout(constant_id = 5) const uint kStep = 2;   // input channels a trip: 1, 2, 4 (one load)
layout(constant_id = 8) const uint kXLast = 0;  // 1: x has its channels last
layout(constant_id = 9) const uint kYLast = 0;  // 1: y has, 2: and is stored four at a time
#include "conv_operands.glsl"

const uint kSlices = kThreads / 64;
const uint kAcc = kOut * kPixels;
const uint kExact = 256;  // integer products that fp32 adds exactly
// Sums that local memory (32 KiB) has room for at a time.
const uint kTogether = kThreads * kAcc <= 8192 ? kAcc : 8192 / kThreads;
shared SUM part[kSlices == 1 ? 1 : kThreads * kTogether];

uint padded_in() { return (group_in + kStep - 1) / kStep * kStep; }

#ifdef INTEGER
int w_zeros[kOut];  // of packed weights
#define ZERO_OF(o) w_zeros[o]
#else
#define ZERO_OF(o) 0
#endif

#if defined(HALF) || defined(INTEGER)
const bool kWhole = kOut * kStep % kPerWord == 0;  // every step begins with a word
float packed_weight(uint at, uint k, int zero) {
  if (kWhole) return unpack_weight(w_words[at / kPerWord + k / kPerWord], k % kPerWord, zero);
  return unpack_weight(w_words[(at + k) / kPerWord], (at + k) % kPerWord, zero);
}
#endif

// Weight of output channel o of the tile for input channel step + s; w0 is where the tile's begin.
// Packed channels are padded to whole steps; what is read past the end meets a zero of x.
float weight(uint w0, uint tap, uint step, uint s, uint o) {
  const uint i = step + s;
#if defined(HALF) || defined(INTEGER)
  if (kPacked == 2) {
    return packed_weight(w0 + (tap * padded_in() + step) * kOut, s * kOut + o, ZERO_OF(o));
  }
#endif
  if (kPacked != 0) return w[w0 + (tap * padded_in() + i) * kOut + o];
  const uint channel = min(o, group_out - gl_WorkGroupID.y * kOut - 1);
#ifdef TRANSPOSED
  const uint at = w0 + (min(i, group_in - 1) * group_out + channel) * tap_count() + tap;
  return raw_weight(at, 0);
#else
  const uint first = gl_WorkGroupID.z * group_out + gl_WorkGroupID.y * kOut;
  const uint at = w0 + (channel * group_in + min(i, group_in - 1)) * tap_count() + tap;
  return raw_weight(at, first + channel);
#endif
}

#ifdef TRANSPOSED
// Places of a phase along one dim: every stride-th, the phases without a place left out.
uint phases_of(uint size, int stride) { return min(size, uint(stride)); }
uint phase_size(uint size, int stride) { return (size + uint(stride) - 1) / uint(stride); }

// Steps from the place in a phase to the input that tap k brings there, if it brings one.
bool reach(uint phase, int pad, uint k, int dilation, int stride, out int offset) {
  const int distance = int(phase) + pad - int(k) * dilation;
  const uint steps = uint(abs(distance)) / uint(stride);
  offset = distance < 0 ? -int(steps) : int(steps);
  return steps * uint(stride) == uint(abs(distance));
}
#endif

void main() {
  const uint lane = gl_LocalInvocationIndex & 63u;
  const uint slice = slice_of(kSlices);
  const uint tile = gl_WorkGroupID.y;
#ifdef TRANSPOSED
  const uint phases_h = phases_of(out_h, stride_h), phases_w = phases_of(out_w, stride_w);
  const uint phases = phases_w * phases_h * (kDepth != 0 ? phases_of(out_d, stride_d) : 1);
  const uint group = gl_WorkGroupID.z / phases, phase = gl_WorkGroupID.z % phases;
  const uint phase_w = phase % phases_w, phase_h = phase / phases_w % phases_h;
  const uint phase_d = phase / phases_w / phases_h;
  const uint grid_w = phase_size(out_w, stride_w), grid_h = phase_size(out_h, stride_h);
  const uint grid_d = phase_size(out_d, stride_d);
#else
  const uint group = gl_WorkGroupID.z;
  const uint grid_w = out_w, grid_h = out_h, grid_d = out_d;
#endif
  const uint taps = tap_count();
  const uint tiles = (group_out + kOut - 1) / kOut;
#ifdef TRANSPOSED
  const uint plain = (group * group_in * group_out + tile * kOut) * taps;
#else
  const uint plain = (group * group_out + tile * kOut) * taps * group_in;
#endif
  const uint w0 = kPacked != 0 ? (group * tiles + tile) * kOut * taps * padded_in() : plain;
  const uint plane = in_h * in_w * (kDepth != 0 ? in_d : 1);
  const uint x_channel = kXLast != 0 ? 1 : plane, x_place = kXLast != 0 ? in_channels : 1;

  int front[kPixels], top[kPixels], left[kPixels];
  uint image[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; p++) {
    uint pixel = min((gl_WorkGroupID.x * kPixels + p) * 64 + lane, pixels - 1);
    left[p] = int(pixel % grid_w);
    top[p] = int(pixel / grid_w % grid_h);
    uint n = pixel / grid_w / grid_h;
    front[p] = kDepth != 0 ? int(n % grid_d) : 0;
    if (kDepth != 0) n /= grid_d;
#ifndef TRANSPOSED
    left[p] = left[p] * stride_w - pad_w;
    top[p] = top[p] * stride_h - pad_h;
    if (kDepth != 0) front[p] = front[p] * stride_d - pad_d;
#endif
    image[p] = n * in_channels * plane + group * group_in * x_channel;
  }
  float zero = 0;
#ifdef INTEGER
  if (has_x_zero != 0) zero = widen(uint(x_zero[0]), 1);
  [[unroll]] for (uint o = 0; o < kOut; o++) {
    w_zeros[o] = packed_zero(group * group_out + min(tile * kOut + o, group_out - 1));
  }
#endif

  float acc[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) acc[a] = 0;
#ifdef INTEGER
  int total[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) total[a] = 0;
  uint pending = 0;
#endif
  for (uint tap = 0; tap < taps; tap++) {
    const uint kx = tap % kernel_w;
    const uint ky = kDepth != 0 ? tap / kernel_w % kernel_h : tap / kernel_w;
    const uint kz = kDepth != 0 ? tap / kernel_w / kernel_h : 0;
#ifdef TRANSPOSED
    int dx, dy, dz = 0;
    if (!reach(phase_w, pad_w, kx, dilation_w, stride_w, dx)) continue;
    if (!reach(phase_h, pad_h, ky, dilation_h, stride_h, dy)) continue;
    if (kDepth != 0 && !reach(phase_d, pad_d, kz, dilation_d, stride_d, dz)) continue;
#else
    const int dx = int(kx) * dilation_w, dy = int(ky) * dilation_h, dz = int(kz) * dilation_d;
#endif
    uint at[kPixels];
    bool inside[kPixels];
    [[unroll]] for (uint p = 0; p < kPixels; p++) {
      int iz = front[p] + dz, iy = top[p] + dy, ix = left[p] + dx;
      inside[p] = uint(iy) < in_h && uint(ix) < in_w;
      if (kDepth != 0) inside[p] = inside[p] && uint(iz) < in_d;
      uint place = uint(iy) * in_w + uint(ix);
      if (kDepth != 0) place += uint(iz) * in_h * in_w;
      at[p] = inside[p] ? image[p] + place * x_place : image[p];
    }
    for (uint i = slice * kStep; i < group_in; i += kSlices * kStep) {
      float xv[kStep * kPixels];
      if (kStep == 4) {
        [[unroll]] for (uint p = 0; p < kPixels; p++) {
          vec4 v = load4((at[p] + i) / 4) - zero;
          [[unroll]] for (uint s = 0; s < 4; s++) {
            xv[s % kStep * kPixels + p] = inside[p] ? v[s] : 0.0;
          }
        }
      } else {
        [[unroll]] for (uint s = 0; s < kStep; s++) {
          [[unroll]] for (uint p = 0; p < kPixels; p++) {
            // Always loaded, then chosen: a branch would wait for each load by itself.
            float v = LOAD(at[p] + min(i + s, group_in - 1) * x_channel) - zero;
            xv[s * kPixels + p] = inside[p] && i + s < group_in ? v : 0.0;
          }
        }
      }
      [[unroll]] for (uint s = 0; s < kStep; s++) {
        [[unroll]] for (uint o = 0; o < kOut; o++) {
          float wv = weight(w0, tap, i, s, o);
          [[unroll]] for (uint p = 0; p < kPixels; p++) {
            acc[o * kPixels + p] += wv * xv[s * kPixels + p];
          }
        }
      }
#ifdef INTEGER
      pending += kStep;
      if (pending == kExact) {
        pending = 0;
        [[unroll]] for (uint a = 0; a < kAcc; a++) {
          total[a] += int(acc[a]);
          acc[a] = 0;
        }
      }
#endif
    }
  }

  SUM sum[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) {
#ifdef INTEGER
    sum[a] = total[a] + int(acc[a]);
#else
    sum[a] = acc[a];
#endif
  }
  const uint area = out_h * out_w * (kDepth != 0 ? out_d : 1);
  [[unroll]] for (uint a = 0; a < kAcc; a++) {
    const uint at = a % kTogether;
    if (kSlices > 1 && at == 0) {
      if (a > 0) barrier();
      [[unroll]] for (uint b = 0; b < kTogether; b++) {
        part[(b * kSlices + slice) * 64 + lane] = sum[min(a + b, kAcc - 1)];
      }
      barrier();
    }
    if (a % kSlices == slice) {
      SUM v = sum[a];
      if (kSlices > 1) {
        v = part[at * kSlices * 64 + lane];
        [[unroll]] for (uint s = 1; s < kSlices; s++) v += part[(at * kSlices + s) * 64 + lane];
      }
      const uint pixel = (gl_WorkGroupID.x * kPixels + a % kPixels) * 64 + lane;
      const uint in_group = tile * kOut + a / kPixels;
#ifdef TRANSPOSED
      const uint ox = pixel % grid_w * uint(stride_w) + phase_w;
      const uint oy = pixel / grid_w % grid_h * uint(stride_h) + phase_h;
      const uint rest = pixel / grid_w / grid_h;
      const uint oz = kDepth != 0 ? rest % grid_d * uint(stride_d) + phase_d : 0;
      const uint n = kDepth != 0 ? rest / grid_d : rest;
      const uint place = (oz * out_h + oy) * out_w + ox;
      const bool there = ox < out_w && oy < out_h && (kDepth == 0 || oz < out_d);
#else
      const uint n = pixel / area, place = pixel % area;
      const bool there = true;
#endif
      if (pixel < pixels && in_group < group_out && there) {
        const uint channel = group * group_out + in_group;
        const uint y_row = (n * out_channels + channel) * area + place;
        const uint y_last = (n * area + place) * out_channels + channel;
        if (kYLast != 2) {
          if (kHasBias != 0) v += bias_of(channel);
          put(kYLast != 0 ? y_last : y_row, v, channel);
        } else if (a / kPixels % 4 == 0) {
          // With one slice and whole fours of channels, whose sums are kPixels apart.
          SUM4 four;
          [[unroll]] for (uint j = 0; j < 4; j++) {
            four[j] = sum[min(a + j * kPixels, kAcc - 1)];
            if (kHasBias != 0) four[j] += bias_of(channel + j);
          }
          put4(y_last, four, channel);
        }
      }
    }
  }
}
