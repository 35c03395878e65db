#version 450
// variants: f32
// variants: f16 -DHALF
// variants: i8 -DBYTES
// MaxPool and AveragePool over one to three spatial dims, one output a thread, in y's order.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kAverage = 0;
layout(constant_id = 1) const uint kSigned = 0;   // of bytes
layout(constant_id = 2) const uint kIndices = 0;  // 1: of the maxima, 2: counted by columns
layout(constant_id = 3) const uint kDepth = 0;    // 1: three spatial dims
layout(constant_id = 4) const uint kXLast = 0;    // 1: channels last
layout(constant_id = 5) const uint kYLast = 0;

#ifdef BYTES
#define TYPE uint8_t
#define VALUE int
#define LOAD(i) (kSigned != 0 ? bitfieldExtract(int(x[i]), 0, 8) : int(x[i]))
#define STORE(v) uint8_t(uint(v) & 255u)
const int kLowest = kSigned != 0 ? -128 : 0;
int exact_div(int a, int b) { return a / b; }  // no pool of bytes calls it
#define MAGNITUDE(v) 0u
int keep_nan(int v, uint largest) { return v; }
#else
#ifdef HALF
layout(constant_id = 6) const uint kBrain = 0;  // 1: bfloat16
#define TYPE float16_t
#define LOAD(i) (kBrain != 0 ? from_bfloat(uint(x_b[i])) : float(x[i]))
#else
#define TYPE float
#define LOAD(i) x[i]
#endif
#define VALUE float
#define STORE(v) TYPE(v)
#define kLowest uintBitsToFloat(0xFF800000u)
#include "exact.glsl"
// A maximum may leave a NaN out; its bits are above those of an infinity.
#define MAGNITUDE(v) (floatBitsToUint(v) & 0x7FFFFFFFu)
float keep_nan(float v, uint largest) {
  return largest > 0x7F800000u ? uintBitsToFloat(largest) : v;
}
#endif

layout(set = 0, binding = 0) readonly restrict buffer X { TYPE x[]; };
layout(set = 0, binding = 1) writeonly restrict buffer Y { TYPE y[]; };
#ifdef HALF
#include "bfloat.glsl"
layout(set = 0, binding = 0) readonly restrict buffer XB { uint16_t x_b[]; };
layout(set = 0, binding = 1) writeonly restrict buffer YB { uint16_t y_b[]; };
#endif
layout(set = 0, binding = 2) writeonly restrict buffer I { uvec2 indices[]; };  // of 64 bits
layout(push_constant) uniform P {
  uint outputs, channels;
  uint count_pad;                // an average counts the padding too,
  int count_d, count_h, count_w;  // to these places: the input's size and the padding after it
#include "conv_window.glsl"
};

// Taps before the padding's end, of a window that starts at `start`.
uint counted(int start, int end, uint kernel, int dilation) {
  return uint(clamp((end - start + dilation - 1) / dilation, 0, int(kernel)));
}

// A place in the input as the indices count it.
uint index_of(uint place) {
  if (kIndices != 2) return place;
  const uint ix = place % in_w, iy = place / in_w % in_h;
  const uint column = (ix * in_h + iy) * (kDepth != 0 ? in_d : 1);
  return kDepth != 0 ? column + place / in_w / in_h : column;
}

void main() {
  const uint at = group_index() * 64 + gl_LocalInvocationIndex;
  if (at >= outputs) return;
  const uint pixel = kYLast != 0 ? at / channels : at;
  const int left = int(pixel % out_w) * stride_w - pad_w;
  const int top = int(pixel / out_w % out_h) * stride_h - pad_h;
  uint plane = pixel / out_w / out_h;
  const int front = kDepth != 0 ? int(plane % out_d) * stride_d - pad_d : 0;
  if (kDepth != 0) plane /= out_d;
  const uint area = in_h * in_w * (kDepth != 0 ? in_d : 1);
  // The plane's number in the row-major order of x, and where its first element lies.
  uint image = 0, channel = 0;
  if (kXLast != 0 || kYLast != 0) {
    image = kYLast != 0 ? plane : plane / channels;
    channel = kYLast != 0 ? at % channels : plane % channels;
    plane = image * channels + channel;
  }
  const uint base = kXLast != 0 ? image * area * channels + channel : plane * area;
  const uint step_x = kXLast != 0 ? channels : 1;

  VALUE result = kAverage != 0 ? VALUE(0) : kLowest;
  uint count = 0, best = 0;
  uint largest = 0, nan_at = ~0u;  // bits of the largest magnitude; the first NaN's place
  for (uint kz = 0; kz < (kDepth != 0 ? kernel_d : 1); kz++) {
    const int iz = front + int(kz) * dilation_d;
    if (kDepth != 0 && uint(iz) >= in_d) continue;
    for (uint ky = 0; ky < kernel_h; ky++) {
      const int iy = top + int(ky) * dilation_h;
      if (uint(iy) >= in_h) continue;
      const uint row = (kDepth != 0 ? uint(iz) * in_h + uint(iy) : uint(iy)) * in_w;
      for (uint kx = 0; kx < kernel_w; kx++) {
        const int ix = left + int(kx) * dilation_w;
        if (uint(ix) < in_w) {
          const uint place = row + uint(ix);
          VALUE v = LOAD(base + place * step_x);
          if (kIndices != 0) {
            // Of equal elements the first.
            if (count == 0 || v > result) {
              result = v;
              best = place;
            }
          } else {
            result = kAverage != 0 ? result + v : max(result, v);
          }
          if (kAverage == 0 && kIndices == 0) largest = max(largest, MAGNITUDE(v));
          if (kIndices != 0) nan_at = min(nan_at, MAGNITUDE(v) > 0x7F800000u ? place : ~0u);
          count++;
        }
      }
    }
  }
  // A NaN wins over any number, the first one.
  if (kAverage == 0 && kIndices == 0) result = keep_nan(result, largest);
  if (kIndices != 0 && nan_at != ~0u) {
    result = LOAD(base + nan_at * step_x);
    best = nan_at;
  }
  if (kAverage != 0) {
    if (count_pad != 0) {
      count = counted(left, count_w, kernel_w, dilation_w) *
              counted(top, count_h, kernel_h, dilation_h);
      if (kDepth != 0) count *= counted(front, count_d, kernel_d, dilation_d);
    }
    result = exact_div(result, VALUE(count));
  }
#ifdef HALF
  if (kBrain != 0) {
    y_b[at] = uint16_t(bfloat_bits(result));
  } else
#endif
  {
    y[at] = STORE(result);
  }
  if (kIndices != 0) indices[at] = uvec2(plane * area + index_of(best), 0);
}
