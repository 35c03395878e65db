#include "ir/op_attrs/attention.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/rotary.h"

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
  const Result<std::int64_t> half = check_rotated(c, attrs.rotary_embedding_dim, h.size);
  if (!half) return half.error();
  for (int i : {1, 2}) {
    const Shape& cache = c.in(i).shape;
    if (auto s = check_dims(c, "last dim of the cache", cache.back(), *half); !s) return s;
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
  const Rotation rotation{c.in(1), c.in(2), half, attrs.interleaved};
  for (std::int64_t b = 0; b < h.batch; ++b) {
    for (std::int64_t t = 0; t < h.tokens; ++t) {
      std::int64_t row = b * h.tokens + t;
      if (c.has(3)) row = get_i64(c.in(3), row);
      if (auto s = rotation.check(c, row); !s) return s;
      for (std::int64_t n = 0; n < h.heads; ++n) {
        const std::int64_t vector =
            h.tokens_first ? (b * h.tokens + t) * h.heads + n : (b * h.heads + n) * h.tokens + t;
        rotation.turn(x, vector * h.size, h.size, row, c.out(0));
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
