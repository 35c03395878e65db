#pragma once
// Loops that do nothing but one thing, in the instruction set that this file is compiled for.
#include "backend/cpu/limit_loops.h"
#include "backend/cpu/simd/vec.h"

namespace polaris::cpu {
namespace {

// As in backend/limit_ops.h, which this file may not include (it has inline code).
constexpr std::int64_t kReadPart = 64;
constexpr int kChains = 8;
constexpr float kFactor = 0.75f;
constexpr float kAddend = 0.25f;

void limit_fill(float* y, std::int64_t count) {
  const V one = vset(1.0f);
  for (std::int64_t i = 0; i < count; i += kWidth) vstore(y + i, one);
}

void limit_copy(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += kWidth) vstore(y + i, vload(x + i));
}

// Four sums, so that no addition waits for the one before it.
void limit_read(const float* x, float* y, std::int64_t count) {
  for (std::int64_t part = 0; part < count / kReadPart; ++part, x += kReadPart) {
    V sums[4] = {vset(0), vset(0), vset(0), vset(0)};
    for (int i = 0; i < kReadPart / kWidth; ++i) sums[i % 4] += vload(x + i * kWidth);
    y[part] = vsum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

void limit_fma(float* y, std::int64_t count, std::int64_t rounds) {
  const V factor = vset(kFactor);
  const V addend = vset(kAddend);
  for (std::int64_t i = 0; i < count; i += kWidth) {
    V chains[kChains];
    for (int k = 0; k < kChains; ++k) chains[k] = vset(static_cast<float>(k));
    for (std::int64_t r = 0; r < rounds; ++r) {
      for (int k = 0; k < kChains; ++k) chains[k] = vfma(chains[k], factor, addend);
    }
    V sum = chains[0];
    for (int k = 1; k < kChains; ++k) sum = vfma(chains[k], vset(1.0f), sum);
    vstore(y + i, sum);
  }
}

constexpr LimitLoops make_loops() { return {limit_fill, limit_copy, limit_read, limit_fma}; }

}  // namespace
}  // namespace polaris::cpu
