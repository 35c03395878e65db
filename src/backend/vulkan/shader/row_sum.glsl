// Sums and maxima over a workgroup of kThreads (a power of two, 64 to 256), in a fixed order,
// through LDS. The including shader defines kThreads first.
shared float row_part[kThreads];

float row_reduce(float value, bool maximum) {
  const uint tid = gl_LocalInvocationIndex;
  row_part[tid] = value;
  barrier();
  for (uint half_size = kThreads / 2; half_size > 0; half_size /= 2) {
    if (tid < half_size) {
      float other = row_part[tid + half_size];
      row_part[tid] = maximum ? max(row_part[tid], other) : row_part[tid] + other;
    }
    barrier();
  }
  float result = row_part[0];
  barrier();
  return result;
}
