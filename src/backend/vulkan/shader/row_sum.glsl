// Sums and maxima over a workgroup of kThreads (a power of two, 64 to 1024), in a fixed order,
// through LDS. The including shader defines kThreads first.
shared float row_part[kThreads];

// A NaN wins over any number where `keep_nan`.
float row_larger(float a, float b, bool keep_nan) {
  if (!keep_nan) return max(a, b);
  return a > b || (floatBitsToUint(a) & 0x7FFFFFFFu) > 0x7F800000u ? a : b;
}

float row_reduce_any(float value, bool maximum, bool keep_nan) {
  const uint tid = gl_LocalInvocationIndex;
  row_part[tid] = value;
  barrier();
  for (uint half_size = kThreads / 2; half_size > 0; half_size /= 2) {
    if (tid < half_size) {
      float other = row_part[tid + half_size];
      row_part[tid] = maximum ? row_larger(row_part[tid], other, keep_nan) : row_part[tid] + other;
    }
    barrier();
  }
  float result = row_part[0];
  barrier();
  return result;
}

float row_reduce(float value, bool maximum) { return row_reduce_any(value, maximum, false); }
float row_reduce_nan(float value, bool maximum) { return row_reduce_any(value, maximum, true); }
