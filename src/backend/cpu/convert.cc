#include "backend/cpu/convert.h"

#include "base/bytes.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kGrain = 16384;

}  // namespace

bool is_short_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

void widen(const Simd& simd, DType dtype, const std::byte* data, std::int64_t from, std::int64_t n,
           float* out) {
  if (n <= 0) return;
  if (dtype == DType::kF32) {
    copy_bytes(out, data + from * 4, static_cast<std::size_t>(n) * 4);
    return;
  }
  const auto* x = reinterpret_cast<const std::uint16_t*>(data) + from;
  if (dtype == DType::kF16) {
    simd.widen_f16(x, out, n);
  } else {
    simd.widen_bf16(x, out, n);
  }
}

void narrow(const Simd& simd, DType dtype, const float* in, std::int64_t n, std::byte* data,
            std::int64_t from) {
  if (n <= 0) return;
  if (dtype == DType::kF32) {
    copy_bytes(data + from * 4, in, static_cast<std::size_t>(n) * 4);
    return;
  }
  auto* y = reinterpret_cast<std::uint16_t*>(data) + from;
  if (dtype == DType::kF16) {
    simd.narrow_f16(in, y, n);
  } else {
    simd.narrow_bf16(in, y, n);
  }
}

void widen_all(const Simd& simd, ThreadPool& pool, DType dtype, const std::byte* data,
               std::int64_t n, float* out) {
  pool.parallel_for(n, kGrain, [&](std::int64_t from, std::int64_t to, int) {
    widen(simd, dtype, data, from, to - from, out + from);
  });
}

void narrow_all(const Simd& simd, ThreadPool& pool, DType dtype, const float* in, std::int64_t n,
                std::byte* data) {
  pool.parallel_for(n, kGrain, [&](std::int64_t from, std::int64_t to, int) {
    narrow(simd, dtype, in + from, to - from, data, from);
  });
}

}  // namespace polaris::cpu
