// RotaryEmbedding.
#include <algorithm>

#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/run_error.h"
#include "backend/cpu/simd/simd.h"
#include "base/bytes.h"
#include "ir/op_attrs/attention.h"

namespace polaris::cpu {
namespace {

struct Rotary {
  const Simd* simd;
  std::int64_t batch = 0, heads = 0, tokens = 0, size = 0;
  bool tokens_first = false;  // rank 3: [batch, tokens, heads * size]
  bool interleaved = false;
  bool has_ids = false;
  bool wide_ids = false;  // int64
  std::int64_t half = 0;
  std::int64_t cache_rows = 0;
};

void rotate_head(const Rotary& r, const float* x, const float* c, const float* s, float* y) {
  if (r.interleaved) {
    for (std::int64_t i = 0; i < r.half; ++i) {
      const float a = x[2 * i];
      const float b = x[2 * i + 1];
      y[2 * i] = a * c[i] - b * s[i];
      y[2 * i + 1] = b * c[i] + a * s[i];
    }
  } else {
    r.simd->rotate(x, x + r.half, c, s, y, y + r.half, r.half);
  }
  if (x != y && r.size > 2 * r.half) {
    copy_bytes(y + 2 * r.half, x + 2 * r.half, static_cast<std::size_t>(r.size - 2 * r.half) * 4);
  }
}

Status run(const Rotary& r, const Launch& l) {
  RunError error;
  parallel_rows(
      *l.pool, r.batch * r.tokens, r.heads * r.size, [&](std::int64_t from, std::int64_t to, int) {
        for (std::int64_t bt = from; bt < to; ++bt) {
          std::int64_t row = bt;
          if (r.has_ids) row = r.wide_ids ? l.in<std::int64_t>(3)[bt] : l.in<std::int32_t>(3)[bt];
          if (row < 0 || row >= r.cache_rows) {
            error.set(bt, row);
            return;
          }
          const std::int64_t b = bt / r.tokens;
          const std::int64_t t = bt % r.tokens;
          for (std::int64_t h = 0; h < r.heads; ++h) {
            const std::int64_t at =
                (r.tokens_first ? bt * r.heads + h : (b * r.heads + h) * r.tokens + t) * r.size;
            rotate_head(r, l.in<float>(0) + at, l.in<float>(1) + row * r.half,
                        l.in<float>(2) + row * r.half, l.out<float>(0) + at);
          }
        }
      });
  return error.status("[RotaryEmbedding] position", r.cache_rows);
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const auto& attrs = node.attributes<RotaryEmbeddingAttrs>();
  for (int i = 0; i < 3; ++i) {
    if (node.inputs[static_cast<std::size_t>(i)].type.dtype != DType::kF32) {
      return unsupported(node, "x and the caches must be float32");
    }
  }
  Rotary r;
  r.simd = target.simd;
  const Shape& x = node.inputs[0].type.shape;
  r.tokens_first = x.rank() == 3;
  if (r.tokens_first) {
    if (attrs.num_heads <= 0) return unsupported(node, "num_heads is needed for rank 3");
    r.batch = x[0];
    r.tokens = x[1];
    r.heads = attrs.num_heads;
    r.size = x[2] / attrs.num_heads;
  } else {
    r.batch = x[0];
    r.heads = x[1];
    r.tokens = x[2];
    r.size = x[3];
  }
  r.interleaved = attrs.interleaved;
  r.half = (attrs.rotary_embedding_dim > 0 ? attrs.rotary_embedding_dim : r.size) / 2;
  r.has_ids = node.inputs.size() > 3 && node.inputs[3].present;
  r.wide_ids = r.has_ids && node.inputs[3].type.dtype == DType::kI64;
  r.cache_rows = r.half > 0 ? node.inputs[1].type.shape.elements() / r.half : INT64_MAX;
  return KernelResult(make_kernel("rotary_f32", [r](const Launch& l) { return run(r, l); }));
}

constexpr std::string_view kOps[] = {"RotaryEmbedding"};

}  // namespace

extern const KernelFamily family_rotary;
constinit const KernelFamily family_rotary{"rotary", kOps, one_kernel<select>};

}  // namespace polaris::cpu
