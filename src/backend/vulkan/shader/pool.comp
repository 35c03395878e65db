#version 450
// MaxPool, AveragePool and their global forms over one or two spatial dims, one output a thread.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kAverage = 0;

layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 1) writeonly restrict buffer Y { float y[]; };
layout(push_constant) uniform P {
  uint outputs;
  uint in_h, in_w, out_h, out_w;
  uint kernel_h, kernel_w;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int count_h, count_w;  // an average counts places below these: the input's, or with its padding
  uint count_pad;        // and above minus the padding
};

void main() {
  const uint at = group_index() * 64 + gl_LocalInvocationIndex;
  if (at >= outputs) return;
  const uint plane = at / out_w / out_h * in_h * in_w;
  const int top = int(at / out_w % out_h) * stride_h - pad_h;
  const int left = int(at % out_w) * stride_w - pad_w;
  float result = kAverage != 0 ? 0.0 : uintBitsToFloat(0xFF800000u);
  uint count = 0;
  for (uint ky = 0; ky < kernel_h; ky++) {
    const int iy = top + int(ky) * dilation_h;
    for (uint kx = 0; kx < kernel_w; kx++) {
      const int ix = left + int(kx) * dilation_w;
      if (uint(iy) < in_h && uint(ix) < in_w) {
        float v = x[plane + uint(iy) * in_w + uint(ix)];
        result = kAverage != 0 ? result + v : max(result, v);
        count++;
      } else if (count_pad != 0 && iy < count_h && ix < count_w) {
        count++;
      }
    }
  }
  y[at] = kAverage != 0 ? result / float(count) : result;
}
