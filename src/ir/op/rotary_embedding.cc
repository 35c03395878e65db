#include "ir/op_attrs/attention.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// X as [batch, heads, tokens, head size], whichever rank it has.
struct Heads {
  std::int64_t batch, heads, tokens, size;
  bool tokens_first;  // rank 3: [batch, tokens, heads * size]
};

Heads heads_of(const Shape& x, std::int64_t num_heads) {
  if (x.rank() == 4) return {x[0], x[1], x[2], x[3], false};
  const std::int64_t size = is_static_dim(x[2]) ? x[2] / num_heads : kUnknownDim;
  return {x[0], num_heads, x[1], size, true};
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<RotaryEmbeddingAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kFloatTypes),
                      check_dtype(c, 2, kFloatTypes), check_dtype(c, 3, kIndexTypes),
                      check_rank(c, 0, 3, 4), check_rank(c, 3, 2, 2));
      !s) {
    return s;
  }
  const int cache_rank = c.has(3) ? 2 : 3;
  if (auto s = all_of(check_rank(c, 1, cache_rank, cache_rank),
                      check_rank(c, 2, cache_rank, cache_rank));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  if (x.rank() == 3 && (attrs.num_heads <= 0 || (is_static_dim(x[2]) && x[2] % attrs.num_heads))) {
    return c.fail("num_heads, got " + std::to_string(attrs.num_heads) +
                  ", wanted a divisor of the last dim of " + x.to_string());
  }
  const Heads h = heads_of(x, attrs.num_heads);
  const std::int64_t rotated = attrs.rotary_embedding_dim > 0 ? attrs.rotary_embedding_dim : h.size;
  if (is_static_dim(rotated) && (rotated % 2 != 0 || (is_static_dim(h.size) && rotated > h.size))) {
    return c.fail("rotated size, got " + std::to_string(rotated) +
                  ", wanted an even number up to the head size " + dim_text(h.size));
  }
  const std::int64_t half = is_static_dim(rotated) ? rotated / 2 : kUnknownDim;
  for (int i : {1, 2}) {
    const Shape& cache = c.in(i).shape;
    if (auto s = check_dims(c, "last dim of the cache", cache.back(), half); !s) return s;
    if (cache_rank == 2) continue;
    if (auto s = all_of(check_dims(c, "batch of the cache", cache[0], h.batch),
                        check_dims(c, "tokens of the cache", cache[1], h.tokens));
        !s) {
      return s;
    }
  }
  if (c.has(3)) {
    if (auto s = all_of(check_dims(c, "batch of position_ids", c.in(3).shape[0], h.batch),
                        check_dims(c, "tokens of position_ids", c.in(3).shape[1], h.tokens));
        !s) {
      return s;
    }
  }
  set_output(c, 0, c.in(0).dtype, x);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RotaryEmbeddingAttrs>();
  const Heads h = heads_of(c.in(0).type.shape, attrs.num_heads);
  const std::int64_t half =
      (attrs.rotary_embedding_dim > 0 ? attrs.rotary_embedding_dim : h.size) / 2;
  const std::vector<double> x = read_f64(c.in(0));
  const auto rotate = [&](std::int64_t head, std::int64_t cache_row) {
    for (std::int64_t i = 0; i < h.size; ++i) {
      if (i >= 2 * half) put_f64(c.out(0), head + i, x[static_cast<std::size_t>(head + i)]);
    }
    for (std::int64_t i = 0; i < half; ++i) {
      const std::int64_t at = head + (attrs.interleaved ? 2 * i : i);
      const std::int64_t partner = head + (attrs.interleaved ? 2 * i + 1 : i + half);
      const double cosine = get_f64(c.in(1), cache_row * half + i);
      const double sine = get_f64(c.in(2), cache_row * half + i);
      const double a = x[static_cast<std::size_t>(at)];
      const double b = x[static_cast<std::size_t>(partner)];
      put_f64(c.out(0), at, a * cosine - b * sine);
      put_f64(c.out(0), partner, a * sine + b * cosine);
    }
  };
  for (std::int64_t b = 0; b < h.batch; ++b) {
    for (std::int64_t t = 0; t < h.tokens; ++t) {
      std::int64_t row = b * h.tokens + t;
      if (c.has(3)) row = get_i64(c.in(3), row);
      const std::int64_t rows = c.in(1).type.shape.elements() / std::max<std::int64_t>(half, 1);
      if (half > 0 && (row < 0 || row >= rows)) {
        return c.fail("position, got " + std::to_string(row) + ", wanted 0 to " +
                      std::to_string(rows - 1));
      }
      for (std::int64_t n = 0; n < h.heads; ++n) {
        const std::int64_t vector =
            h.tokens_first ? (b * h.tokens + t) * h.heads + n : (b * h.heads + n) * h.tokens + t;
        rotate(vector * h.size, row);
      }
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 3 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"X"}, {"cos_cache"}, {"sin_cache"}, {"position_ids", kOptional}};
constexpr Port kOutputs[] = {{"Y"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_rotary_embedding{
    .name = "RotaryEmbedding",
    .doc = "Rotates pairs of each head's elements by the angle of the token's position.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<RotaryEmbeddingAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
