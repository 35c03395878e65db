#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "backend/cpu/simd/simd.h"
#include "tensor/dtype.h"

namespace polaris::cpu {

/// float32, float16 and bfloat16: what kernels of float32 arithmetic read and write directly.
bool is_short_float(DType dtype);
/// Elements [from, from + n) of short floats as float32, and back (rounded to nearest even).
void widen(const Simd& simd, DType dtype, const std::byte* data, std::int64_t from, std::int64_t n,
           float* out);
void narrow(const Simd& simd, DType dtype, const float* in, std::int64_t n, std::byte* data,
            std::int64_t from);
/// On the pool.
void widen_all(const Simd& simd, ThreadPool& pool, DType dtype, const std::byte* data,
               std::int64_t n, float* out);
void narrow_all(const Simd& simd, ThreadPool& pool, DType dtype, const float* in, std::int64_t n,
                std::byte* data);

}  // namespace polaris::cpu
