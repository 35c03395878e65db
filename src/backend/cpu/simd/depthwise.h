#pragma once
// Depthwise convolutions over whole output rows, channels-last; compiled once an instruction set.
#include "backend/cpu/simd/conv.h"

namespace polaris::cpu {
namespace {

/// Numbers 0 ... N - 1 as template arguments: loops over registers that must be unrolled whole.
template <int... I>
struct Numbers {};
template <int N, int... I>
struct NumbersTo : NumbersTo<N - 1, N - 1, I...> {};
template <int... I>
struct NumbersTo<0, I...> {
  using Type = Numbers<I...>;
};

/// Input column kColumn, in x, to the sums of those positions that it is a tap of.
template <int kStride, int kKernel, int kColumn, int kPositions, int... P>
inline void add_column(V (&acc)[kPositions], V x, const V (&w)[kKernel], Numbers<P...>) {
  const auto add = [&]<int kPosition>() {
    constexpr int kTap = kColumn - kPosition * kStride;
    if constexpr (kTap >= 0 && kTap < kKernel) acc[kPosition] = vfma(x, w[kTap], acc[kPosition]);
  };
  (add.template operator()<P>(), ...);
}

inline V load_lanes(const float* p, bool whole, std::int64_t lanes) {
  return whole ? vload(p) : vload_n(p, lanes);
}

/// One row of taps over one input row.
template <int kStride, int kKernel, bool kWhole, int kPositions, int... C>
inline void add_row(V (&acc)[kPositions], const float* x, std::int64_t step, std::int64_t lanes,
                    const V (&w)[kKernel], Numbers<C...>) {
  (add_column<kStride, kKernel, C>(acc, load_lanes(x + C * step, kWhole, lanes), w,
                                   typename NumbersTo<kPositions>::Type{}),
   ...);
}

/// A vector of channels at kPositions positions of kOutputs output rows.
template <int kStride, int kKernel, int kOutputs, int kPositions, bool kWhole>
inline void depthwise_block(const DepthwiseRows& t, std::int64_t at, std::int64_t c,
                            std::int64_t lanes) {
  using Columns = typename NumbersTo<(kPositions - 1) * kStride + kKernel>::Type;
  V acc[kOutputs][kPositions];
  const V start = t.bias == nullptr ? vset(0.0f) : load_lanes(t.bias + c, kWhole, lanes);
  for (int o = 0; o < kOutputs; ++o) {
    for (int p = 0; p < kPositions; ++p) acc[o][p] = start;
  }
  const std::int64_t shift = at * kStride * t.x_step + c;
  for (std::int64_t r = 0; r < t.rows; ++r) {
    V w[kKernel];
    const float* taps = t.w + r * kKernel * t.w_step + c;
    for (int k = 0; k < kKernel; ++k) w[k] = load_lanes(taps + k * t.w_step, kWhole, lanes);
    for (int o = 0; o < kOutputs; ++o) {
      const float* x = t.x[r + o];
      if (x == nullptr) continue;
      add_row<kStride, kKernel, kWhole>(acc[o], x + shift, t.x_step, lanes, w, Columns{});
    }
  }
  for (int o = 0; o < kOutputs; ++o) {
    const std::int64_t to = o * t.y_row_step + at * t.y_step + c;
    SumFinish finish = t.finish;
    if (finish.add != nullptr) finish.add += to;
    V out[kPositions][1];
    for (int p = 0; p < kPositions; ++p) out[p][0] = acc[o][p];
    finish_sums<kPositions, 1>(out, finish, t.y_step, lanes);
    for (int p = 0; p < kPositions; ++p) {
      float* y = t.y + to + p * t.y_step;
      kWhole ? vstore(y, out[p][0]) : vstore_n(y, out[p][0], lanes);
    }
  }
}

template <int kStride, int kKernel, int kOutputs, int kPositions>
void depthwise_blocks(const DepthwiseRows& t, std::int64_t at) {
  std::int64_t c = 0;
  for (; c + kWidth <= t.channels; c += kWidth) {
    depthwise_block<kStride, kKernel, kOutputs, kPositions, true>(t, at, c, kWidth);
  }
  if (c < t.channels) {
    depthwise_block<kStride, kKernel, kOutputs, kPositions, false>(t, at, c, t.channels - c);
  }
}

/// As many positions as sums fit into registers beside taps.
template <int kStride, int kKernel, int kOutputs>
void depthwise_positions_of(const DepthwiseRows& t) {
  constexpr int kMost = 8 / kOutputs;
  std::int64_t at = 0;
  for (; at + kMost <= t.positions; at += kMost) {
    depthwise_blocks<kStride, kKernel, kOutputs, kMost>(t, at);
  }
  for (; at + 2 <= t.positions; at += 2) depthwise_blocks<kStride, kKernel, kOutputs, 2>(t, at);
  if (at < t.positions) depthwise_blocks<kStride, kKernel, kOutputs, 1>(t, at);
}

template <int kKernel>
void depthwise_rows_of(const DepthwiseRows& t) {
  if (t.stride == 2) return depthwise_positions_of<2, kKernel, 1>(t);
  if (t.outputs == 2) return depthwise_positions_of<1, kKernel, 2>(t);
  depthwise_positions_of<1, kKernel, 1>(t);
}

void depthwise_rows(const DepthwiseRows& t) {
  if (t.kernel == 3) return depthwise_rows_of<3>(t);
  depthwise_rows_of<5>(t);
}

}  // namespace
}  // namespace polaris::cpu
