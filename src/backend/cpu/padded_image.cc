#include "backend/cpu/padded_image.h"

#include <algorithm>

#include "backend/cpu/rows.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

// Padding of so many elements, or of so many times the input, is not written out.
constexpr std::int64_t kSmall = 65536;
constexpr std::int64_t kTimesMax = 4;

}  // namespace

std::optional<PaddedImage> PaddedImage::of(const ConvGeometry& g) {
  if (g.groups != 1 || g.dims[2].dilation != 1) return std::nullopt;
  PaddedImage out(g);
  std::int64_t elements = g.batch * g.group_in;
  bool inside = true;
  for (int i = 0; i < kSpatialMax; ++i) {
    const WindowDim& d = g.dims[i];
    if (d.out < 1) return std::nullopt;
    const std::int64_t reach = (d.out - 1) * d.stride + (d.kernel - 1) * d.dilation + 1;
    inside = inside && d.pad_begin == 0 && reach <= d.in;
    out.extent_[i] = reach;
    const auto product = checked_mul(elements, reach);
    if (!product) return std::nullopt;
    elements = *product;
  }
  if (inside) {
    for (int i = 0; i < kSpatialMax; ++i) out.extent_[i] = g.dims[i].in;
    return out;
  }
  const std::int64_t input = g.batch * g.group_in * g.in_size();
  if (elements > kSmall && elements / kTimesMax > input) return std::nullopt;
  out.elements_ = elements;
  return out;
}

void PaddedImage::fill(ThreadPool& pool, const float* x, float* out) const {
  const std::int64_t channels = g_.group_in;
  const std::int64_t width = extent_[2] * channels;
  const WindowDim& last = g_.dims[2];
  const std::int64_t left = std::min(last.pad_begin, extent_[2]) * channels;
  const std::int64_t copied = std::min(last.in * channels, width - left);
  const std::int64_t rows = g_.batch * extent_[0] * extent_[1];
  parallel_rows(pool, rows, width, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t r = from; r < to; ++r) {
      const std::int64_t i1 = r % extent_[1] - g_.dims[1].pad_begin;
      const std::int64_t i0 = r / extent_[1] % extent_[0] - g_.dims[0].pad_begin;
      const std::int64_t image = r / extent_[1] / extent_[0];
      float* row = out + r * width;
      if (i0 < 0 || i0 >= g_.dims[0].in || i1 < 0 || i1 >= g_.dims[1].in) {
        std::fill_n(row, width, 0.0f);
        continue;
      }
      const std::int64_t line = (image * g_.dims[0].in + i0) * g_.dims[1].in + i1;
      std::fill_n(row, left, 0.0f);
      std::copy_n(x + line * last.in * channels, copied, row + left);
      std::fill_n(row + left + copied, width - left - copied, 0.0f);
    }
  });
}

void PaddedImage::find(const float* images, std::int64_t first, std::int64_t rows,
                       const float** out) const {
  const WindowDim* d = g_.dims;
  const std::int64_t width = extent_[2] * g_.group_in;
  const std::int64_t step = d[2].stride * g_.group_in;
  for (std::int64_t r = 0; r < rows;) {  // what lies in one output row
    const std::int64_t line = (first + r) / d[2].out;
    const std::int64_t o2 = (first + r) % d[2].out;
    const std::int64_t o1 = line % d[1].out;
    const std::int64_t o0 = line / d[1].out % d[0].out;
    const std::int64_t image = line / d[1].out / d[0].out;
    const float* at =
        images + ((image * extent_[0] + o0 * d[0].stride) * extent_[1] + o1 * d[1].stride) * width +
        o2 * step;
    const std::int64_t count = std::min(rows - r, d[2].out - o2);
    const float** to = out + r;
    for (std::int64_t k0 = 0; k0 < d[0].kernel; ++k0) {
      for (std::int64_t k1 = 0; k1 < d[1].kernel; ++k1, to += rows) {
        const float* tap = at + (k0 * d[0].dilation * extent_[1] + k1 * d[1].dilation) * width;
        for (std::int64_t i = 0; i < count; ++i) to[i] = tap + i * step;
      }
    }
    r += count;
  }
}

}  // namespace polaris::cpu
