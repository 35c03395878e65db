#include "backend/cpu/window_planes.h"

#include <algorithm>

#include "backend/cpu/pool_taps.h"
#include "backend/cpu/window_rows.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTapsMax = 64;  // of one WindowRow
constexpr std::int64_t kTasksPerThread = 4;
constexpr std::int64_t kPlanesMax = 32;  // of a task

/// Where planes stand, and what is theirs alone.
class PlaneRange {
 public:
  PlaneRange(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t from, std::int64_t to)
      : g_(g), planes_(planes), from_(from), to_(to) {}

  /// `row`, whose x and y are offsets in a plane so far, of each plane.
  void run(WindowRow row, std::int64_t x_offset, std::int64_t y_offset) const {
    for (std::int64_t i = from_; i < to_; ++i) {
      std::int64_t in = i;
      row.start = planes_.start;
      if (planes_.factors != nullptr) {
        const std::int64_t m = i % planes_.outputs;
        in = i / planes_.outputs * (planes_.outputs / planes_.outputs_each) +
             m / planes_.outputs_each;
        row.factors = planes_.factors + m * g_.kernel_size();
        row.start = planes_.bias == nullptr ? 0.0f : planes_.bias[m];
      }
      row.x = planes_.x + in * g_.in_size() + x_offset;
      row.y = planes_.y + i * g_.out_size() + y_offset;
      planes_.run(row);
    }
  }

 private:
  const ConvGeometry& g_;
  const WindowPlanes& planes_;
  std::int64_t from_;
  std::int64_t to_;
};

/// Taps gathered until a row has them all, or as many as it takes; `run(row)` computes it then.
template <class Run>
class TapRows {
 public:
  TapRows(const WindowRow& row, Run run) : row_(row), run_(run) {
    row_.offsets = offsets_;
    row_.taps_at = taps_at_;
  }
  void add(std::int64_t k, std::int64_t offset) {
    if (row_.taps == kTapsMax) {
      run_(row_);
      row_.accumulate = true;
      row_.taps = 0;
    }
    taps_at_[row_.taps] = k;
    offsets_[row_.taps++] = offset;
  }
  void finish(float divisor) {
    row_.divisor = divisor;
    run_(row_);
  }

 private:
  WindowRow row_;
  Run run_;
  std::int64_t offsets_[kTapsMax];
  std::int64_t taps_at_[kTapsMax];
};

/// Taps that an average divides by at one output position.
float divisor_of(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t row,
                 std::int64_t o) {
  if (!planes.divide) return 1.0f;
  return static_cast<float>(taps_along(g.dims[0], row / g.dims[1].out, planes.include_pad) *
                            taps_along(g.dims[1], row % g.dims[1].out, planes.include_pad) *
                            taps_along(g.dims[2], o, planes.include_pad));
}

/// Outputs [from, to) of a row: by those taps that `from` has.
void outputs(const ConvGeometry& g, const WindowPlanes& planes, const PlaneRange& range,
             std::int64_t row, std::int64_t from, std::int64_t to) {
  WindowRow part;
  part.stride = g.dims[2].stride;
  part.n = to - from;
  TapRows taps(part, [&](const WindowRow& ready) {
    range.run(ready, from * part.stride, row * g.dims[2].out + from);
  });
  each_tap_run(g, row, [&](const TapRun& tap) {
    if (tap.begin <= from && from < tap.end) taps.add(tap.k, tap.from);
  });
  taps.finish(divisor_of(g, planes, row, from));
}

}  // namespace

std::int64_t planes_of_task(std::int64_t planes, int threads) {
  return std::clamp<std::int64_t>(planes / (threads * kTasksPerThread), 1, kPlanesMax);
}

void window_planes(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t first,
                   std::int64_t end) {
  const PlaneRange range(g, planes, first, end);
  const WindowDim& last = g.dims[2];
  for (std::int64_t row = 0; row < g.dims[0].out * g.dims[1].out; ++row) {
    const std::int64_t lines = taps_along(g.dims[0], row / g.dims[1].out, false) *
                               taps_along(g.dims[1], row % g.dims[1].out, false);
    std::int64_t from = 0;
    std::int64_t to = last.out;
    std::int64_t taps = 0;
    each_tap_run(g, row, [&](const TapRun& tap) {
      from = std::max(from, tap.begin);
      to = std::min(to, tap.end);
      ++taps;
    });
    // The outputs between have all taps of the last dim; the others are done one by one.
    if (taps == 0 || taps < lines * last.kernel || from >= to) from = to = last.out;
    for (std::int64_t o = 0; o < from; ++o) outputs(g, planes, range, row, o, o + 1);
    if (from < to) outputs(g, planes, range, row, from, to);
    for (std::int64_t o = to; o < last.out; ++o) outputs(g, planes, range, row, o, o + 1);
  }
}

void window_positions(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t row) {
  const WindowDim& last = g.dims[2];
  const Inner inner = inner_positions(last);
  std::int64_t known_at = -1;  // the inner position that `known` is of
  WindowRow known;
  std::int64_t offsets[kTapsMax];
  for (std::int64_t o = 0; o < last.out; ++o) {
    float* y = planes.y + o * g.groups;
    const bool is_inner = o >= inner.from && o < inner.to;
    if (is_inner && known_at >= 0) {
      WindowRow at = known;
      at.x += (o - known_at) * last.stride * g.groups;
      at.y = y;
      planes.run(at);
      continue;
    }
    WindowRow first;
    first.x = planes.x;
    first.y = y;
    first.n = g.groups;
    first.start = planes.start;
    TapRows taps(first, [&](const WindowRow& ready) {
      planes.run(ready);
      known = ready;
      std::copy_n(ready.offsets, ready.taps, offsets);
    });
    each_tap(g, row * last.out + o,
             [&](std::int64_t k, std::int64_t offset) { taps.add(k, offset * g.groups); });
    taps.finish(divisor_of(g, planes, row, o));
    known.offsets = offsets;
    if (is_inner && !known.accumulate) known_at = o;
  }
}

}  // namespace polaris::cpu
