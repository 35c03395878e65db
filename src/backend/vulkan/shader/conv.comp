#version 450
// variants: f32 -DX_TYPE=float -DY_TYPE=float
// variants: i8_i32 -DX_TYPE=uint8_t -DY_TYPE=int -DINTEGER
// variants: i8_i8 -DX_TYPE=uint8_t -DY_TYPE=uint8_t -DINTEGER -DREQUANTIZE
// Direct convolution of one or two spatial dims. A lane takes kPixels output pixels, side by side
// with its neighbours; kOut output channels stay in registers and their weights, packed as
// [group][tile of channels][tap][input channel][kOut], come through the scalar unit. The slices of
// a workgroup deal the input channels and are summed in order.
//
// Integers go through fp32 too: (x - zx)(w - zw) is at most 255 * 255, so 256 of them add up
// exactly before they are moved to int32.
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#include "common.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 64;
layout(constant_id = 1) const uint kOut = 16;
layout(constant_id = 2) const uint kPixels = 2;
layout(constant_id = 3) const uint kHasBias = 0;
layout(constant_id = 4) const uint kSigned = 0;  // of integers: 1 input, 2 output
layout(constant_id = 5) const uint kStep = 2;    // input channels a trip: 1 or 2
layout(constant_id = 6) const uint kPacked = 1;  // 0: weights as the file has them

layout(set = 0, binding = 0) readonly restrict buffer X { X_TYPE x[]; };
layout(set = 0, binding = 1) readonly restrict buffer W { float w[]; };
#ifdef INTEGER
layout(set = 0, binding = 2) readonly restrict buffer B { int bias[]; };
#else
layout(set = 0, binding = 2) readonly restrict buffer B { float bias[]; };
#endif
layout(set = 0, binding = 3) readonly restrict buffer M { float multiplier[]; };
layout(set = 0, binding = 4) readonly restrict buffer Z { X_TYPE x_zero[]; };
layout(set = 0, binding = 5) writeonly restrict buffer Y { Y_TYPE y[]; };
layout(push_constant) uniform P {
  uint pixels;             // batch * out_h * out_w
  uint in_channels, in_h, in_w;
  uint out_channels, out_h, out_w;
  uint group_in, group_out;
  uint kernel_h, kernel_w;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int y_zero;
  uint has_x_zero;         // x_zero[0] counts
};

const uint kSlices = kThreads / 64;
const uint kAcc = kOut * kPixels;
const uint kExact = 256;  // integer products that fp32 adds exactly
#ifdef INTEGER
#define SUM int
#else
#define SUM float
#endif
shared SUM part[kSlices == 1 ? 1 : kThreads * kAcc];

#ifdef INTEGER
float as_float(uint v) {
  return float((kSigned & 1u) != 0 ? bitfieldExtract(int(v), 0, 8) : int(v));
}
#define LOAD(i) as_float(uint(x[i]))
#else
#define LOAD(i) x[i]
#endif

#ifdef REQUANTIZE
uint store(int v, uint channel) {
  float scaled = roundEven(float(v) * multiplier[channel]);
  int q = int(clamp(scaled, -1.0e6, 1.0e6)) + y_zero;
  return uint((kSigned & 2u) != 0 ? clamp(q, -128, 127) & 255 : clamp(q, 0, 255));
}
#else
SUM store(SUM v, uint channel) { return v; }
#endif

// Packed channels are padded to whole steps; what is read past the end meets a zero of x.
uint weight_index(uint w0, uint tap, uint i, uint o) {
  if (kPacked != 0) return w0 + (tap * ((group_in + kStep - 1) / kStep * kStep) + i) * kOut + o;
  const uint last = group_out - gl_WorkGroupID.y * kOut - 1;
  return w0 + (min(o, last) * group_in + min(i, group_in - 1)) * kernel_h * kernel_w + tap;
}

void main() {
  const uint lane = gl_LocalInvocationIndex & 63u;
  const uint slice = kSlices == 1 ? 0 : subgroupBroadcastFirst(gl_LocalInvocationIndex >> 6);
  const uint group = gl_WorkGroupID.z, tile = gl_WorkGroupID.y;
  const uint taps = kernel_h * kernel_w;
  const uint tiles = (group_out + kOut - 1) / kOut;
  const uint padded = kPacked != 0 ? (group_in + kStep - 1) / kStep * kStep : group_in;
  const uint tiled = (group * tiles + tile) * kOut, plain = group * group_out + tile * kOut;
  const uint first = kPacked != 0 ? tiled : plain;
  const uint w0 = first * taps * padded;
  const uint plane = in_h * in_w;

  int top[kPixels], left[kPixels];
  uint image[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; p++) {
    uint pixel = min((gl_WorkGroupID.x * kPixels + p) * 64 + lane, pixels - 1);
    left[p] = int(pixel % out_w) * stride_w - pad_w;
    top[p] = int(pixel / out_w % out_h) * stride_h - pad_h;
    image[p] = (pixel / out_w / out_h * in_channels + group * group_in) * plane;
  }
  float zero = 0;
#ifdef INTEGER
  if (has_x_zero != 0) zero = as_float(uint(x_zero[0]));
#endif

  float acc[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) acc[a] = 0;
#ifdef INTEGER
  int total[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) total[a] = 0;
  uint pending = 0;
#endif
  for (uint tap = 0; tap < taps; tap++) {
    const int dy = int(tap / kernel_w) * dilation_h, dx = int(tap % kernel_w) * dilation_w;
    uint at[kPixels];
    bool inside[kPixels];
    [[unroll]] for (uint p = 0; p < kPixels; p++) {
      int iy = top[p] + dy, ix = left[p] + dx;
      inside[p] = uint(iy) < in_h && uint(ix) < in_w;
      at[p] = inside[p] ? image[p] + uint(iy) * in_w + uint(ix) : image[p];
    }
    for (uint i = slice * kStep; i < group_in; i += kSlices * kStep) {
      float xv[kStep * kPixels];
      [[unroll]] for (uint s = 0; s < kStep; s++) {
        [[unroll]] for (uint p = 0; p < kPixels; p++) {
          // Always loaded, then chosen: a branch would wait for each load by itself.
          float v = LOAD(at[p] + min(i + s, group_in - 1) * plane) - zero;
          xv[s * kPixels + p] = inside[p] && i + s < group_in ? v : 0.0;
        }
      }
      [[unroll]] for (uint s = 0; s < kStep; s++) {
        [[unroll]] for (uint o = 0; o < kOut; o++) {
          float wv = w[weight_index(w0, tap, i + s, o)];
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
  if (kSlices > 1) {
    [[unroll]] for (uint a = 0; a < kAcc; a++) {
      part[(a * kSlices + slice) * 64 + lane] = sum[a];
    }
    barrier();
  }
  [[unroll]] for (uint a = 0; a < kAcc; a++) {
    if (a % kSlices == slice) {
      SUM v = sum[a];
      if (kSlices > 1) {
        v = part[a * kSlices * 64 + lane];
        [[unroll]] for (uint s = 1; s < kSlices; s++) v += part[(a * kSlices + s) * 64 + lane];
      }
      const uint pixel = (gl_WorkGroupID.x * kPixels + a % kPixels) * 64 + lane;
      const uint in_group = tile * kOut + a / kPixels;
      if (pixel < pixels && in_group < group_out) {
        const uint channel = group * group_out + in_group, area = out_h * out_w;
        if (kHasBias != 0) v += bias[channel];
        const uint to = (pixel / area * out_channels + channel) * area + pixel % area;
        y[to] = Y_TYPE(store(v, channel));
      }
    }
  }
}
