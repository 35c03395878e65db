#include <string>
#include <utility>
#include <vector>

#include "ir/op_attrs/attention.h"
#include "ir/op_util/cache_rows.h"
#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/rotary.h"
#include "ir/op_util/traffic.h"

namespace polaris {
namespace {

constexpr DTypeSet kCacheTypes = dtype_set(DType::kF32, DType::kF16);
enum In { kCacheK, kCacheV, kQ, kK, kV, kCos, kSin, kPositions, kSlots };

Status check_types(const InferContext& c) {
  return all_of(check_dtype(c, kCacheK, kCacheTypes), check_dtype(c, kCacheV, kCacheTypes),
                check_dtype(c, kQ, kFloatTypes), check_same_dtype(c, kQ, kK),
                check_same_dtype(c, kQ, kV), check_dtype(c, kCos, kFloatTypes),
                check_dtype(c, kSin, kFloatTypes), check_dtype(c, kPositions, kIndexTypes),
                check_dtype(c, kSlots, dtype_set(DType::kI32)), check_rank(c, kCacheK, 3, 3),
                check_rank(c, kCacheV, 3, 3), check_rank(c, kQ, 2, 2), check_rank(c, kK, 2, 2),
                check_rank(c, kV, 2, 2), check_rank(c, kCos, 2, 2), check_rank(c, kSin, 2, 2),
                check_rank(c, kPositions, 2, 2), check_rank(c, kSlots, 1, 1));
}

/// The size of a head by one of the two rows it is in; unknown where its width is. Errors: invalid.
Result<std::int64_t> head_size(const InferContext& c, int input, std::int64_t heads) {
  const std::int64_t width = c.in(input).shape[1];
  if (heads <= 0 || (is_static_dim(width) && width % heads != 0)) {
    return c.fail("heads, got " + std::to_string(heads) + " of " + c.in(input).shape.to_string() +
                  ", wanted a divisor of its last dim");
  }
  return is_static_dim(width) ? width / heads : kUnknownDim;
}

Status infer(InferContext& c) {
  if (auto s = check_types(c); !s) return s;
  const auto& attrs = c.as<RotaryKvWriteAttrs>();
  const auto size = head_size(c, kQ, attrs.num_heads);
  if (!size) return size.error();
  const auto kv_size = head_size(c, kK, attrs.num_kv_heads);
  if (!kv_size) return kv_size.error();
  const auto half = check_rotated(c, attrs.rotary_embedding_dim, *size);
  if (!half) return half.error();
  const std::int64_t tokens = c.in(kQ).shape[0];
  if (auto s = all_of(check_dims(c, "head size of k", *kv_size, *size),
                      check_dims(c, "last dim of the cosines", c.in(kCos).shape[1], *half),
                      check_dims(c, "last dim of the sines", c.in(kSin).shape[1], *half),
                      check_dims(c, "rows of the sines", c.in(kSin).shape[0], c.in(kCos).shape[0]),
                      check_dims(c, "batch of position_ids", c.in(kPositions).shape[0], 1),
                      check_dims(c, "tokens of position_ids", c.in(kPositions).shape[1], tokens),
                      check_dims(c, "tokens of slots", c.in(kSlots).shape[0], tokens));
      !s) {
    return s;
  }
  for (int i : {0, 1}) {
    const Shape& rows = c.in(kK + i).shape;
    if (auto s = all_of(check_writable_cache(c, i),
                        check_dims(c, "row size of k or v", rows[1], c.in(i).shape[2]),
                        check_dims(c, "tokens of k or v", rows[0], tokens));
        !s) {
      return s;
    }
    if (static_cast<std::size_t>(i) < c.outputs.size()) c.out(i) = c.in(i);
  }
  set_output(c, 2, c.in(kQ).dtype, c.in(kQ).shape);
  return Status::success();
}

/// Every head of the rows [T, heads * size] of input `from`, turned, into `to`.
Status turn_rows(const RefContext& c, const Rotation& rotation, int from, std::int64_t heads,
                 RefTensor& to) {
  const Shape& shape = c.in(from).type.shape;
  const std::vector<double> x = read_f64(c.in(from));
  const std::int64_t size = shape[1] / heads;
  for (std::int64_t t = 0; t < shape[0]; ++t) {
    const std::int64_t row = get_i64(c.in(kPositions), t);
    if (auto s = rotation.check(c, row); !s) return s;
    for (std::int64_t h = 0; h < heads; ++h) {
      rotation.turn(x, (t * heads + h) * size, size, row, to);
    }
  }
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RotaryKvWriteAttrs>();
  const std::int64_t half = c.in(kCos).type.shape[1];
  const Rotation rotation{c.in(kCos), c.in(kSin), half, attrs.interleaved};
  auto turned = Tensor::allocate(c.in(kK).type);
  if (!turned) return turned.error();
  RefTensor k{c.in(kK).type, turned->mutable_bytes().data()};
  if (auto s = turn_rows(c, rotation, kK, attrs.num_kv_heads, k); !s) return s;
  if (auto s = turn_rows(c, rotation, kQ, attrs.num_heads, c.out(2)); !s) return s;
  const Shape& cache = c.in(kCacheK).type.shape;
  for (std::int64_t t = 0, n = c.in(kSlots).type.shape[0]; t < n; ++t) {
    const std::int64_t slot = get_i64(c.in(kSlots), t);
    if (slot < 0 || slot >= cache[0] * cache[1]) continue;
    write_cache_row(c.out(0), slot, k, t);
    write_cache_row(c.out(1), slot, c.in(kV), t);
  }
  return Status::success();
}

ValueId turned(DecomposeContext& d, int input, std::int64_t heads) {
  const auto& attrs = d.as<RotaryKvWriteAttrs>();
  const std::int64_t width = d.type(d.input(input)).shape[1];
  auto rotary = std::make_unique<RotaryEmbeddingAttrs>();
  rotary->num_heads = heads;
  rotary->interleaved = attrs.interleaved;
  rotary->rotary_embedding_dim = attrs.rotary_embedding_dim;
  const ValueId batched = reshape_to(d, d.input(input), {1, -1, width});
  const ValueId y =
      d.add("RotaryEmbedding", {batched, d.input(kCos), d.input(kSin), d.input(kPositions)},
            std::move(rotary));
  return reshape_to(d, y, {-1, width});
}

Status decompose(DecomposeContext& d) {
  const auto& attrs = d.as<RotaryKvWriteAttrs>();
  for (int i : {kQ, kK}) {
    if (is_static_dim(d.type(d.input(i)).shape[1])) continue;
    return Error::unsupported("[polaris.RotaryKvWrite] decomposition of rows of no fixed size");
  }
  const ValueId rows[] = {turned(d, kK, attrs.num_kv_heads), d.input(kV)};
  for (int i : {0, 1}) {
    const ValueId written = write_cache_rows(d, d.input(i), rows[i], d.input(kSlots));
    if (written.valid()) d.set_output(i, written);
  }
  if (d.output_count() > 2) d.set_output(2, turned(d, kQ, attrs.num_heads));
  return d.status();
}

std::int64_t flops(const NodeTypes& n) {
  return 3 * n.inputs[kQ].shape.elements() + 5 * n.inputs[kK].shape.elements();
}

/// Rows as they come and as they go, and of the tables a row a token.
std::int64_t bytes(const NodeTypes& n) {
  const std::int64_t kv = n.inputs[kK].shape.elements();
  const std::int64_t angles = n.inputs[kQ].shape[0] * n.inputs[kCos].shape[1];
  return 2 * n.inputs[kQ].bytes().value_or(0) + 2 * n.inputs[kK].bytes().value_or(0) +
         2 * bytes_of_elements(n.inputs[kCacheK], kv) +
         2 * bytes_of_elements(n.inputs[kCos], angles);
}

constexpr Port kInputs[] = {{"cache_k", kAcceptsEncoded},
                            {"cache_v", kAcceptsEncoded},
                            {"q"},
                            {"k"},
                            {"v"},
                            {"cos_cache"},
                            {"sin_cache"},
                            {"position_ids"},
                            {"slots"}};
constexpr Port kOutputs[] = {{"cache_k_out"}, {"cache_v_out"}, {"q_out"}};
constexpr InPlace kInPlace[] = {{0, 0, true}, {1, 1, true}};

}  // namespace

extern constinit const OpDef op_rotary_kv_write{
    .name = "RotaryKvWrite",
    .domain = "polaris",
    .doc =
        "RotaryEmbedding of q and k, rows [T, heads * D], by the positions [1, T], and KvWrite of "
        "the turned k and of v: what stands between projections and attention as one kernel.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kStateful,
    .make_attrs = make_attrs<RotaryKvWriteAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .decompose = decompose,
    .flops = flops,
    .bytes = bytes,
};

}  // namespace polaris
