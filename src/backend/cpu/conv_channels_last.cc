#include "backend/cpu/conv_channels_last.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/depthwise_channels_last.h"
#include "backend/cpu/gemm.h"
#include "backend/cpu/im2col.h"
#include "backend/cpu/padded_image.h"
#include "backend/cpu/weights.h"
#include "backend/cpu/window_rows.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

// Panels of this depth stay in a first-level cache while the rows pass by.
constexpr std::int64_t kDepth = 384;
// Panels whose part of c stays in the second level while the depth advances.
constexpr std::int64_t kPanelGroup = 16;
// Positions of one task, and what it keeps at most: addresses of taps, elements of copied rows.
constexpr std::int64_t kRowsMax = 120;
constexpr std::int64_t kTaskElements = 16384;
// With fewer channels a tap is too short a run: those of a row of the window are one, in an input
// with its padding, or rows of the im2col matrix are written.
constexpr std::int64_t kChannelsMin = 16;
// Behind the packed weights: 1 where one of them is infinite or no number, else 0. What stands in
// for the padding is then multiplied with nothing.
constexpr std::int64_t kFlagElements = kPanel;

struct ConvNode {
  const Simd* simd = nullptr;
  ConvGeometry g;
  ConvEpilogue epilogue;
  bool packed = false;  // weights were packed when the model was loaded
  std::optional<PaddedImage> padded;

  std::int64_t taps() const { return g.kernel_size(); }
  std::int64_t depth() const { return g.group_in * taps(); }
  std::int64_t weight_elements() const { return g.groups * g.group_out * depth(); }
  std::int64_t group_elements() const { return packed_elements(depth(), g.group_out); }
  std::int64_t packed_size() const { return g.groups * group_elements() + kFlagElements; }
  std::int64_t in_channels() const { return g.groups * g.group_in; }
  std::int64_t out_channels() const { return g.groups * g.group_out; }
  bool has_short_taps() const { return g.group_in < kChannelsMin && taps() > 1; }
  bool copies_rows() const { return has_short_taps() && !padded; }
  // What is multiplied for a position: so many runs of so many elements.
  std::int64_t runs() const { return padded ? padded->taps() : copies_rows() ? 1 : taps(); }
  std::int64_t run_depth() const {
    return padded ? padded->depth() : copies_rows() ? depth() : g.group_in;
  }
  std::int64_t rows_max() const {
    const std::int64_t fit =
        kTaskElements / std::max<std::int64_t>(copies_rows() ? taps() : runs(), 1);
    const std::int64_t unit = simd->gemm_rows;
    return std::clamp(fit / unit * unit, unit, kRowsMax);
  }
  /// Per worker, in elements: addresses of all runs, and copied rows.
  std::int64_t address_elements() const { return 2 * rows_max() * runs(); }
  std::int64_t copied_elements() const { return copies_rows() ? rows_max() * depth() : 0; }
  std::int64_t worker_elements() const {
    return round_up(address_elements() + copied_elements(), kPanel);
  }
};

/// [M][C][kernel] as panels of [kernel][C] x M, group by group, and the flag.
void pack_weights(const ConvNode& c, const float* w, float* out) {
  const std::int64_t taps = c.taps();
  std::fill_n(out, c.packed_size(), 0.0f);
  bool finite = true;
  for (std::int64_t m = 0; m < c.out_channels(); ++m, w += c.depth()) {
    const std::int64_t column = m % c.g.group_out;
    float* panel = out + m / c.g.group_out * c.group_elements() +
                   column / kPanel * c.depth() * kPanel + column % kPanel;
    for (std::int64_t i = 0; i < c.g.group_in; ++i) {
      for (std::int64_t k = 0; k < taps; ++k) {
        panel[(k * c.g.group_in + i) * kPanel] = w[i * taps + k];
        finite = finite && std::isfinite(w[i * taps + k]);
      }
    }
  }
  if (!finite) out[c.g.groups * c.group_elements()] = 1.0f;
}

/// One launch, as its tasks see it.
struct Work {
  const ConvNode& c;
  const float* x = nullptr;
  const float* weights = nullptr;
  const float* bias = nullptr;
  float* y = nullptr;
  const float* zeros = nullptr;     // a position of the padding
  const float* residual = nullptr;  // stands as y; null: nothing
  const float* images = nullptr;    // x with its padding

  /// The residual beside `at`, which is in y.
  const float* residual_at(const float* at) const {
    return residual == nullptr ? nullptr : residual + (at - y);
  }
};

/// Output positions [first, first + count) of all images, and panels [from, to) of one group.
struct Part {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t group = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// Addresses of x for every tap and position of a block of `rows` positions, [tap][rows].
void find_rows(const Work& work, std::int64_t first, std::int64_t rows, const float** out) {
  const ConvGeometry& g = work.c.g;
  const std::int64_t channels = work.c.in_channels();
  if (reads_image(g)) {
    for (std::int64_t r = 0; r < rows; ++r) out[r] = work.x + (first + r) * channels;
    return;
  }
  std::fill_n(out, rows * work.c.taps(), work.zeros);
  const std::int64_t width = g.dims[2].out;
  const std::int64_t step = g.dims[2].stride * channels;
  for (std::int64_t r = 0; r < rows;) {  // what lies in one output row
    const std::int64_t at = (first + r) % g.out_size();
    const float* image = work.x + (first + r) / g.out_size() * g.in_size() * channels;
    const std::int64_t from = at % width;
    const std::int64_t to = std::min(width, from + rows - r);
    each_tap_run(g, at / width, [&](const TapRun& run) {
      const float** to_row = out + run.k * rows + r;
      const std::int64_t begin = std::max(run.begin, from);
      const float* x = image + run.from * channels + begin * step;
      for (std::int64_t o = begin; o < std::min(run.end, to); ++o, x += step) to_row[o - from] = x;
    });
    r += to - from;
  }
}

/// The same for blocks of gemm_rows positions.
void find_blocks(const Work& work, std::int64_t first, std::int64_t count, const float** out) {
  const std::int64_t unit = work.c.simd->gemm_rows;
  for (std::int64_t r = 0; r < count; r += unit) {
    const float** to = out + r * work.c.runs();
    if (work.c.padded) {
      work.c.padded->find(work.images, first + r, std::min(unit, count - r), to);
    } else {
      find_rows(work, first + r, std::min(unit, count - r), to);
    }
  }
}

/// The rows of the im2col matrix of positions [first, first + count) and their addresses.
void copy_rows(const Work& work, const Part& part, float* rows, const float** out) {
  const ConvGeometry& g = work.c.g;
  for (std::int64_t r = 0; r < part.count;) {
    const std::int64_t image = (part.first + r) / g.out_size();
    const std::int64_t at = (part.first + r) % g.out_size();
    const std::int64_t count = std::min(part.count - r, g.out_size() - at);
    im2col_rows(g, work.x + image * g.in_size() * work.c.in_channels(), part.group, at, count, 0.0f,
                rows + r * work.c.depth());
    r += count;
  }
  for (std::int64_t r = 0; r < part.count; ++r) out[r] = rows + r * work.c.depth();
}

/// Calls visit(tap, taps, first, depth) for stretches of about kDepth of taps x depth, in order.
template <class Visit>
void each_stretch(std::int64_t taps, std::int64_t depth, Visit visit) {
  if (taps == 0 || depth == 0) return visit(0, 0, 0, 0);
  const std::int64_t parts = ceil_div(depth, kDepth);
  const std::int64_t step = ceil_div(depth, parts);
  const std::int64_t taps_step = parts > 1 ? 1 : std::max<std::int64_t>(1, kDepth / depth);
  for (std::int64_t t = 0; t < taps; t += taps_step) {
    for (std::int64_t k = 0; k < depth; k += step) {
      visit(t, std::min(taps_step, taps - t), k, std::min(step, depth - k));
    }
  }
}

TapTile tile_of(const Work& work, const Part& part, std::int64_t panel) {
  const ConvNode& c = work.c;
  const std::int64_t column = part.group * c.g.group_out + panel * kPanel;
  TapTile tile;
  tile.b = work.weights + part.group * c.group_elements() + panel * c.depth() * kPanel;
  tile.b_stride = c.depth() * kPanel;
  tile.c = work.y + part.first * c.out_channels() + column;
  tile.ldc = c.out_channels();
  tile.columns = c.g.group_out - panel * kPanel;
  tile.bias = work.bias == nullptr ? nullptr : work.bias + column;
  return tile;
}

/// `rows` has the addresses of blocks of gemm_rows positions, [block][tap][row].
void multiply_part(const Work& work, const Part& part, const float* const* rows) {
  const ConvNode& c = work.c;
  const Simd& simd = *c.simd;
  const bool copied = c.copies_rows();
  const std::int64_t taps = c.runs();
  const std::int64_t depth = c.run_depth();
  for (std::int64_t group = part.from; group < part.to; group += kPanelGroup) {
    const std::int64_t group_end = std::min(part.to, group + kPanelGroup);
    each_stretch(taps, depth, [&](std::int64_t t, std::int64_t n, std::int64_t k, std::int64_t d) {
      for (std::int64_t p = group; p < group_end;) {
        const std::int64_t panels = group_end - p >= simd.gemm_panels ? simd.gemm_panels : 1;
        TapTile tile = tile_of(work, part, p);
        tile.columns = std::min(tile.columns, panels * kPanel);
        tile.b += (t * depth + k) * kPanel;
        tile.tap_step = depth * kPanel;
        tile.taps = n;
        tile.depth = d;
        tile.offset = (copied ? 0 : part.group * c.g.group_in) + k;
        tile.accumulate = t > 0 || k > 0;
        const bool last = n == 0 || (t + n >= taps && k + d >= depth);
        if (last) tile.finish = c.epilogue.tile(work.residual_at(tile.c));
        for (std::int64_t r = 0; r < part.count; r += simd.gemm_rows) {
          tile.rows_step = std::min<std::int64_t>(simd.gemm_rows, part.count - r);
          tile.rows = rows + r * taps + t * tile.rows_step;
          simd.multiply_taps(tile, static_cast<int>(tile.rows_step), static_cast<int>(panels));
          tile.c += tile.rows_step * tile.ldc;
          if (tile.finish.add != nullptr) tile.finish.add += tile.rows_step * tile.ldc;
        }
        p += panels;
      }
    });
    const std::int64_t columns = std::min(c.g.group_out, group_end * kPanel) - group * kPanel;
    float* y = tile_of(work, part, group).c;
    for (std::int64_t r = 0; r < part.count; ++r, y += c.out_channels()) {
      c.epilogue.apply(y, columns);
    }
  }
}

/// As multiply_part, by those taps alone that lie in the input.
void multiply_inside(const Work& work, const Part& part) {
  const ConvNode& c = work.c;
  const ConvGeometry& g = c.g;
  for (std::int64_t p = part.from; p < part.to; ++p) {
    TapTile tile = tile_of(work, part, p);
    tile.columns = std::min<std::int64_t>(tile.columns, kPanel);
    const float* panel = tile.b;
    tile.offset = part.group * g.group_in;
    tile.depth = g.group_in;
    for (std::int64_t r = part.first; r < part.first + part.count; ++r, tile.c += tile.ldc) {
      const float* image = work.x + r / g.out_size() * g.in_size() * c.in_channels();
      tile.accumulate = false;
      tile.taps = 0;
      c.simd->multiply_taps(tile, 1, 1);
      tile.accumulate = true;
      tile.taps = 1;
      each_tap(g, r % g.out_size(), [&](std::int64_t k, std::int64_t at) {
        const float* row = image + at * c.in_channels();
        tile.rows = &row;
        tile.b = panel + k * g.group_in * kPanel;
        c.simd->multiply_taps(tile, 1, 1);
      });
      c.epilogue.finish(work.residual_at(tile.c), tile.c, tile.columns);
    }
  }
}

void conv(const ConvNode& c, const Launch& l) {
  const ConvGeometry& g = c.g;
  auto* space = reinterpret_cast<float*>(l.workspace);
  float* zeros = space + l.pool->threads() * c.worker_elements();
  std::fill_n(zeros, c.in_channels(), 0.0f);
  Work work{c,
            l.in<float>(0),
            l.in<float>(1),
            l.in<float>(2),
            l.out<float>(0),
            zeros,
            l.in<float>(kConvResidual),
            l.in<float>(0)};
  if (!c.packed) {
    float* own = zeros + c.in_channels();
    pack_weights(c, work.weights, own);
    work.weights = own;
  }
  if (c.padded && c.padded->elements() > 0) {
    float* images = zeros + c.in_channels() + (c.packed ? 0 : c.packed_size());
    c.padded->fill(*l.pool, work.x, images);
    work.images = images;
  }
  const bool finite = work.weights[g.groups * c.group_elements()] == 0.0f;
  const std::int64_t panels = packed_panels(g.group_out);
  const GemmGrid grid{g.batch * g.out_size(), c.simd->gemm_rows,   c.rows_max(),
                      g.groups * panels,      c.simd->gemm_panels, c.depth()};
  for_each_task(
      *l.pool, grid,
      [&](std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, int worker) {
        float* own = space + worker * c.worker_elements();
        const auto** rows = reinterpret_cast<const float**>(own);
        const bool shared = finite && !c.copies_rows();  // addresses, by all groups
        if (shared) find_blocks(work, m0, m1 - m0, rows);
        for (std::int64_t group = p0 / panels; group * panels < p1; ++group) {
          const Part part{m0, m1 - m0, group, std::max<std::int64_t>(0, p0 - group * panels),
                          std::min(panels, p1 - group * panels)};
          if (!finite) {
            multiply_inside(work, part);
            continue;
          }
          if (!shared) copy_rows(work, part, own + c.address_elements(), rows);
          multiply_part(work, part, rows);
        }
      });
}

}  // namespace

KernelResult channels_last_conv(const CpuTarget& target, const NodeDesc& node,
                                const ConvGeometry& geometry, const ConvEpilogue& epilogue) {
  ConvNode c{target.simd, geometry, epilogue, false, {}};
  c.packed = node.inputs[1].constant != nullptr && c.weight_elements() > 0;
  if (geometry.group_in == 1 && geometry.group_out == 1 && geometry.groups > 1) {
    return channels_last_depthwise(target, geometry, epilogue, c.packed);
  }
  if (c.has_short_taps()) c.padded = PaddedImage::of(geometry);
  auto kernel = make_kernel(c.has_short_taps() ? "conv_rows_f32_nhwc" : "conv_taps_f32_nhwc",
                            [c](const Launch& l) { conv(c, l); });
  kernel->set_workspace((target.threads * c.worker_elements() + c.in_channels() +
                         (c.packed ? 0 : c.packed_size()) + (c.padded ? c.padded->elements() : 0)) *
                        4);
  if (c.packed) {
    kernel->set_packing(1, "f32_conv_nhwc_g" + std::to_string(geometry.groups), c.packed_size() * 4,
                        packing_of_floats(c.weight_elements(), [c](const float* plain, float* out) {
                          pack_weights(c, plain, out);
                        }));
  }
  return KernelResult(std::move(kernel));
}

}  // namespace polaris::cpu
