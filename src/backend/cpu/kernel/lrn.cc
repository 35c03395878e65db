// LRN in float32: squares of neighbouring channels, along a plane or along the channels.
#include <algorithm>
#include <cmath>
#include <optional>

#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "ir/op_attrs/normalization.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kTile = 512;
constexpr std::int64_t kWindowMax = 64;  // channels

struct Lrn {
  const Simd* simd = nullptr;
  std::int64_t images = 0;
  std::int64_t channels = 0;
  std::int64_t positions = 0;  // of an image
  std::int64_t before = 0;     // channels of the window, besides the element's own
  std::int64_t after = 0;
  float factor = 0;
  float bias = 0;
  float beta = 0;

  std::int64_t window() const { return before + 1 + after; }
  // Channels-last: one position between zeros.
  std::int64_t padded() const { return channels + before + after; }
};

/// y = x / scale^beta, with scale = bias + factor * squares of `rows`.
void divide(const Lrn& p, const float* const* rows, std::int64_t count, const float* x, float* y,
            std::int64_t n) {
  float scale[kTile];
  float root[kTile];
  p.simd->square_sums(rows, count, n, p.factor, p.bias, scale);
  const auto binary = [&](Opcode op, const float* a, const float* b, float* out) {
    p.simd->binary[op - kUnaryCodes](a, 1, b, 1, out, n);
  };
  // Where the scale may be negative, powers and roots of minus infinity and zero differ.
  const bool by_roots = p.beta == 0.75f && p.bias > 0 && p.factor >= 0;
  if (by_roots) {
    p.simd->unary[kOpSqrt](scale, root, n, 0, 0);
    p.simd->unary[kOpSqrt](root, scale, n, 0, 0);
    binary(kOpMul, scale, root, scale);
  } else {
    for (std::int64_t i = 0; i < n; ++i) scale[i] = std::pow(scale[i], p.beta);
  }
  binary(kOpDiv, x, scale, y);
}

/// A stretch of the plane of one channel.
void along_plane(const Lrn& p, const Launch& l, std::int64_t plane, std::int64_t first,
                 std::int64_t n) {
  const std::int64_t channel = plane % p.channels;
  const float* x = l.in<float>(0) + plane * p.positions + first;
  const float* rows[kWindowMax];
  std::int64_t count = 0;
  for (std::int64_t c = std::max<std::int64_t>(0, channel - p.before);
       c <= std::min(p.channels - 1, channel + p.after); ++c) {
    rows[count++] = x + (c - channel) * p.positions;
  }
  divide(p, rows, count, x, l.out<float>(0) + plane * p.positions + first, n);
}

void row_major(const Lrn& p, const Launch& l) {
  // Neighbouring channels follow each other, so that what they share is read once.
  const std::int64_t tiles = (p.positions + kTile - 1) / kTile;
  const std::int64_t count = p.images * tiles * p.channels;
  parallel_rows(*l.pool, count, kTile, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t first = i / p.channels % tiles * kTile;
      const std::int64_t image = i / p.channels / tiles;
      along_plane(p, l, image * p.channels + i % p.channels, first,
                  std::min(kTile, p.positions - first));
    }
  });
}

void channels_last(const Lrn& p, const Launch& l) {
  parallel_rows(*l.pool, p.images * p.positions, p.channels,
                [&](std::int64_t from, std::int64_t to, int worker) {
                  float* padded = reinterpret_cast<float*>(l.workspace) + worker * p.padded();
                  std::fill_n(padded, p.padded(), 0.0f);
                  for (std::int64_t i = from; i < to; ++i) {
                    std::copy_n(l.in<float>(0) + i * p.channels, p.channels, padded + p.before);
                    for (std::int64_t c = 0; c < p.channels; c += kTile) {
                      const float* rows[kWindowMax];
                      for (std::int64_t k = 0; k < p.window(); ++k) rows[k] = padded + c + k;
                      divide(p, rows, p.window(), padded + p.before + c,
                             l.out<float>(0) + i * p.channels + c, std::min(kTile, p.channels - c));
                    }
                  }
                });
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  if (x.dtype != DType::kF32 || !x.encoding.is_plain())
    return unsupported(node, "x is not float32");
  const auto& attrs = node.attributes<LrnAttrs>();
  Lrn p;
  p.simd = target.simd;
  p.images = x.shape[0];
  p.channels = x.shape[1];
  p.positions = x.shape.elements_between(2, x.shape.rank());
  const std::int64_t others = std::max<std::int64_t>(0, p.channels - 1);
  p.before = std::min((attrs.size - 1) / 2, others);
  p.after = std::min(attrs.size / 2, others);
  if (p.window() > kWindowMax) return unsupported(node, "the window has too many channels");
  p.factor = static_cast<float>(static_cast<double>(attrs.alpha) / static_cast<double>(attrs.size));
  p.bias = attrs.bias;
  p.beta = attrs.beta;
  if (node.inputs[0].layout == Layout::kRowMajor) {
    return KernelResult(make_kernel("lrn_f32", [p](const Launch& l) { row_major(p, l); }));
  }
  auto kernel = make_kernel("lrn_f32_nhwc", [p](const Launch& l) { channels_last(p, l); });
  kernel->set_workspace(target.threads * p.padded() * 4);
  return KernelResult(std::move(kernel));
}

constexpr std::string_view kOps[] = {"LRN"};

}  // namespace

extern const KernelFamily family_lrn;
constinit const KernelFamily family_lrn{"lrn", kOps, one_kernel<select>, kOps};

}  // namespace polaris::cpu
