#version 450
// The canary's clean twin: a loop with one load and one multiply-add a trip.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };
layout(push_constant) uniform Push { uint rows; };

void main() {
  float sum = 0.0;
  for (uint i = 0; i < rows; ++i) sum += data[i * 4096u + gl_GlobalInvocationID.x] * sum;
  data[gl_GlobalInvocationID.x] = sum;
}
