#version 450
// variants: f32
// variants: f16 -DHALF
// variants: i8_i32 -DINTEGER
// variants: i8_i8 -DINTEGER -DREQUANTIZE
// Convolution of one input channel a group with channels last: lanes side by side along the
// channels, each with kVec of them and kPixels output pixels. Weights are packed as [tap][channel].
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 1) const uint kVec = 4;  // 4: one load, and one output a group; or 1
layout(constant_id = 2) const uint kPixels = 4;
#include "conv_operands.glsl"
#ifdef HALF
layout(set = 0, binding = 1) readonly restrict buffer W4 { f16vec4 w4[]; };
layout(set = 0, binding = 1) readonly restrict buffer WB4 { uvec2 w4_b[]; };
#elif !defined(INTEGER)
layout(set = 0, binding = 1) readonly restrict buffer W4 { vec4 w4[]; };
#endif

const uint kAcc = kPixels * kVec;
const uint kExact = 256;  // integer products that fp32 adds exactly

// Packed weights from `at` on, a multiple of kVec; `zeros` are their zero points.
vec4 packed_weights(uint at, ivec4 zeros) {
#ifdef HALF
  if (kVec != 4) return vec4(kBrain != 0 ? from_bfloat(uint(raw_b[at])) : float(raw[at]));
  if (kBrain == 0) return vec4(w4[at / 4]);
  const uvec4 v = w4_b[at / 4].xxyy;
  return uintBitsToFloat(uvec4(v.x << 16, v.y & 0xFFFF0000u, v.z << 16, v.w & 0xFFFF0000u));
#elif defined(INTEGER)
  if (kVec != 4) return vec4(unpack_weight(uint(raw[at]), 0, zeros[0]));
  const uint word = w_words[at / 4];
  return vec4(unpack_weight(word, 0, zeros[0]), unpack_weight(word, 1, zeros[1]),
              unpack_weight(word, 2, zeros[2]), unpack_weight(word, 3, zeros[3]));
#else
  return kVec == 4 ? w4[at / 4] : vec4(w[at]);
#endif
}

vec4 weights(uint tap, uint channel, ivec4 zeros) {
  if (kPacked != 0) return packed_weights(tap * out_channels + channel, zeros);
  vec4 v;
  [[unroll]] for (uint j = 0; j < kVec; j++) {
    v[j] = raw_weight((channel + j) * tap_count() + tap, channel + j);
  }
  return v;
}

void main() {
  const uint vecs = out_channels / kVec;
  const uint at = group_index() * 64 + gl_LocalInvocationIndex;
  const uint channel = at % vecs * kVec, first = at / vecs * kPixels;
  if (first >= pixels) return;
  const uint from = kVec == 4 ? channel : channel / group_out;
  const uint plane = in_h * in_w * (kDepth != 0 ? in_d : 1);
  int front[kPixels], top[kPixels], left[kPixels];
  uint image[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; p++) {
    const uint pixel = min(first + p, pixels - 1);
    left[p] = int(pixel % out_w) * stride_w - pad_w;
    top[p] = int(pixel / out_w % out_h) * stride_h - pad_h;
    uint n = pixel / out_w / out_h;
    front[p] = kDepth != 0 ? int(n % out_d) * stride_d - pad_d : 0;
    if (kDepth != 0) n /= out_d;
    image[p] = n * plane * in_channels + from;
  }
  float zero = 0;
#ifdef INTEGER
  if (has_x_zero != 0) zero = widen(uint(x_zero[0]), 1);
#endif
  ivec4 zeros = ivec4(0);
  [[unroll]] for (uint j = 0; j < kVec; j++) zeros[j] = packed_zero(channel + j);
  float acc[kAcc];
  SUM total[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) {
    acc[a] = 0;
    total[a] = 0;
  }
  uint tap = 0;
  for (uint kz = 0; kz < (kDepth != 0 ? kernel_d : 1); kz++) {
    for (uint ky = 0; ky < kernel_h; ky++) {
      for (uint kx = 0; kx < kernel_w; kx++) {
        const vec4 wv = weights(tap, channel, zeros);
        [[unroll]] for (uint p = 0; p < kPixels; p++) {
          const int iz = front[p] + int(kz) * dilation_d, iy = top[p] + int(ky) * dilation_h;
          const int ix = left[p] + int(kx) * dilation_w;
          bool inside = uint(iy) < in_h && uint(ix) < in_w;
          if (kDepth != 0) inside = inside && uint(iz) < in_d;
          uint place = uint(iy) * in_w + uint(ix);
          if (kDepth != 0) place += uint(iz) * in_h * in_w;
          // Always loaded, then chosen: a branch would wait for each load by itself.
          const uint x_at = inside ? image[p] + place * in_channels : image[p];
          const vec4 v = (kVec == 4 ? load4(x_at / 4) : vec4(LOAD(x_at))) - zero;
          [[unroll]] for (uint j = 0; j < kVec; j++) {
            acc[p * kVec + j] += inside ? wv[j] * v[j] : 0.0;
          }
        }
        tap++;
#ifdef INTEGER
        if (tap % kExact == 0) {
          [[unroll]] for (uint a = 0; a < kAcc; a++) {
            total[a] += int(acc[a]);
            acc[a] = 0;
          }
        }
#endif
      }
    }
  }
  [[unroll]] for (uint p = 0; p < kPixels; p++) {
    if (first + p < pixels) {
      const uint to = (first + p) * out_channels + channel;
      SUM4 four = SUM4(0);
      [[unroll]] for (uint j = 0; j < kVec; j++) {
        four[j] = total[p * kVec + j] + SUM(acc[p * kVec + j]);
        if (kHasBias != 0) four[j] += bias_of(channel + j);
      }
      if (kVec == 4) {
        put4(to, four, channel);
      } else {
        put(to, four[0], channel);
      }
    }
  }
}
