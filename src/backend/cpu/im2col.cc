#include "backend/cpu/im2col.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/simd/simd.h"

namespace polaris::cpu {
namespace {

/// Part of a panel whose positions lie in one output row.
struct Run {
  std::int64_t column = 0;  // in the panel
  std::int64_t count = 0;
  std::int64_t o0 = 0, o1 = 0, o2 = 0;
};

int runs_of(const ConvGeometry& g, std::int64_t first, std::int64_t count, Run (&runs)[kPanel]) {
  int n = 0;
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t at = first + done;
    Run& run = runs[n++];
    run.column = done;
    run.o2 = at % g.dims[2].out;
    run.o1 = at / g.dims[2].out % g.dims[1].out;
    run.o0 = at / g.dims[2].out / g.dims[1].out;
    run.count = std::min(count - done, g.dims[2].out - run.o2);
    done += run.count;
  }
  return n;
}

/// Calls visit(k, run, first valid column of the run, count of valid columns, input offset of that
/// column) for every kernel offset k of one channel.
template <class Visit>
void each_run(const ConvGeometry& g, const Run* runs, int n, Visit visit) {
  const WindowDim& d0 = g.dims[0];
  const WindowDim& d1 = g.dims[1];
  const WindowDim& d2 = g.dims[2];
  std::int64_t k = 0;
  for (std::int64_t k0 = 0; k0 < d0.kernel; ++k0) {
    for (std::int64_t k1 = 0; k1 < d1.kernel; ++k1) {
      for (std::int64_t k2 = 0; k2 < d2.kernel; ++k2, ++k) {
        for (int r = 0; r < n; ++r) {
          const Run& run = runs[r];
          const std::int64_t i0 = run.o0 * d0.stride - d0.pad_begin + k0 * d0.dilation;
          const std::int64_t i1 = run.o1 * d1.stride - d1.pad_begin + k1 * d1.dilation;
          if (i0 < 0 || i0 >= d0.in || i1 < 0 || i1 >= d1.in) continue;
          const std::int64_t i2 = run.o2 * d2.stride - d2.pad_begin + k2 * d2.dilation;
          std::int64_t skip = 0;
          if (i2 < 0) skip = (-i2 + d2.stride - 1) / d2.stride;
          const std::int64_t room = d2.in - 1 - i2;
          const std::int64_t end = room < 0 ? 0 : std::min(run.count, room / d2.stride + 1);
          if (skip >= end) continue;
          visit(k, run.column + skip, end - skip,
                (i0 * d1.in + i1) * d2.in + i2 + skip * d2.stride);
        }
      }
    }
  }
}

}  // namespace

void im2col_panel(const ConvGeometry& g, const float* plane, std::int64_t first, std::int64_t count,
                  float* panel) {
  Run runs[kPanel];
  const int n = runs_of(g, first, count, runs);
  const std::int64_t kernel = g.kernel_size();
  const std::int64_t stride = g.dims[2].stride;
  std::fill_n(panel, g.group_in * kernel * kPanel, 0.0f);
  for (std::int64_t c = 0; c < g.group_in; ++c, plane += g.in_size(), panel += kernel * kPanel) {
    each_run(g, runs, n,
             [&](std::int64_t k, std::int64_t column, std::int64_t valid, std::int64_t from) {
               float* to = panel + k * kPanel + column;
               if (stride == 1) {
                 std::copy_n(plane + from, valid, to);
               } else {
                 for (std::int64_t i = 0; i < valid; ++i) to[i] = plane[from + i * stride];
               }
             });
  }
}

template <class T>
void im2col_pairs(const ConvGeometry& g, const T* plane, std::int32_t zero, std::int64_t first,
                  std::int64_t count, std::int16_t* panel) {
  Run runs[kPanel];
  const int n = runs_of(g, first, count, runs);
  const std::int64_t kernel = g.kernel_size();
  const std::int64_t stride = g.dims[2].stride;
  const std::int64_t depth = g.group_in * kernel;
  std::fill_n(panel, (depth + depth % 2) * kPanel, std::int16_t{0});
  for (std::int64_t c = 0; c < g.group_in; ++c, plane += g.in_size()) {
    each_run(g, runs, n,
             [&](std::int64_t k, std::int64_t column, std::int64_t valid, std::int64_t from) {
               const std::int64_t row = c * kernel + k;
               std::int16_t* to = panel + (row / 2 * kPanel + column) * 2 + row % 2;
               for (std::int64_t i = 0; i < valid; ++i) {
                 to[2 * i] = static_cast<std::int16_t>(plane[from + i * stride] - zero);
               }
             });
  }
}

template void im2col_pairs<std::int8_t>(const ConvGeometry&, const std::int8_t*, std::int32_t,
                                        std::int64_t, std::int64_t, std::int16_t*);
template void im2col_pairs<std::uint8_t>(const ConvGeometry&, const std::uint8_t*, std::int32_t,
                                         std::int64_t, std::int64_t, std::int16_t*);

namespace {

/// One row's taps along the innermost dim, at its input position (i0, i1).
template <class T>
void row_taps(const ConvGeometry& g, const T* image, std::int64_t line, bool inside,
              std::int64_t o2, std::int64_t first_channel, T pad, T* to) {
  const WindowDim& d = g.dims[2];
  const std::int64_t channels = g.groups * g.group_in;
  const std::int64_t i2 = o2 * d.stride - d.pad_begin;
  // Neighbouring taps are neighbours in memory: one copy.
  if (inside && d.dilation == 1 && g.groups == 1 && i2 >= 0 && i2 + d.kernel <= d.in) {
    std::copy_n(image + (line + i2) * channels, d.kernel * channels, to);
    return;
  }
  for (std::int64_t k = 0; k < d.kernel; ++k, to += g.group_in) {
    const std::int64_t i = i2 + k * d.dilation;
    if (inside && i >= 0 && i < d.in) {
      std::copy_n(image + (line + i) * channels + first_channel, g.group_in, to);
    } else {
      std::fill_n(to, g.group_in, pad);
    }
  }
}

}  // namespace

template <class T>
void im2col_rows(const ConvGeometry& g, const T* image, std::int64_t group, std::int64_t first,
                 std::int64_t count, T pad, T* rows) {
  const WindowDim& d0 = g.dims[0];
  const WindowDim& d1 = g.dims[1];
  const WindowDim& d2 = g.dims[2];
  for (std::int64_t p = first; p < first + count; ++p) {
    const std::int64_t o2 = p % d2.out;
    const std::int64_t o1 = p / d2.out % d1.out;
    const std::int64_t o0 = p / d2.out / d1.out;
    for (std::int64_t k0 = 0; k0 < d0.kernel; ++k0) {
      const std::int64_t i0 = o0 * d0.stride - d0.pad_begin + k0 * d0.dilation;
      for (std::int64_t k1 = 0; k1 < d1.kernel; ++k1, rows += d2.kernel * g.group_in) {
        const std::int64_t i1 = o1 * d1.stride - d1.pad_begin + k1 * d1.dilation;
        const bool inside = i0 >= 0 && i0 < d0.in && i1 >= 0 && i1 < d1.in;
        row_taps(g, image, (i0 * d1.in + i1) * d2.in, inside, o2, group * g.group_in, pad, rows);
      }
    }
  }
}

template void im2col_rows<float>(const ConvGeometry&, const float*, std::int64_t, std::int64_t,
                                 std::int64_t, float, float*);
template void im2col_rows<std::uint8_t>(const ConvGeometry&, const std::uint8_t*, std::int64_t,
                                        std::int64_t, std::int64_t, std::uint8_t, std::uint8_t*);

bool reads_image(const ConvGeometry& g) {
  for (const WindowDim& d : g.dims) {
    if (d.kernel != 1 || d.stride != 1 || d.pad_begin != 0 || d.in != d.out) return false;
  }
  return true;
}

}  // namespace polaris::cpu
