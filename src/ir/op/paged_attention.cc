#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

constexpr DTypeSet kCacheTypes = dtype_set(DType::kF32, DType::kF16);
constexpr DTypeSet kInt32 = dtype_set(DType::kI32);
constexpr int kSinks = 6;

Status infer(InferContext& c) {
  const auto& attrs = c.as<PagedAttentionAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kCacheTypes),
                      check_same_dtype(c, 1, 2), check_dtype(c, 3, kInt32),
                      check_dtype(c, 4, kInt32), check_dtype(c, 5, kInt32), check_rank(c, 0, 2, 2),
                      check_rank(c, 1, 3, 3), check_rank(c, 2, 3, 3), check_rank(c, 3, 2, 2),
                      check_rank(c, 4, 1, 1), check_rank(c, 5, 1, 1),
                      check_dtype(c, kSinks, dtype_set(DType::kF32)), check_rank(c, kSinks, 1, 1));
      !s) {
    return s;
  }
  const Shape& q = c.in(0).shape;
  if (attrs.num_heads <= 0 || attrs.num_kv_heads <= 0 ||
      attrs.num_heads % attrs.num_kv_heads != 0 ||
      (is_static_dim(q[1]) && q[1] % attrs.num_heads != 0)) {
    return c.fail("heads, got " + std::to_string(attrs.num_heads) + " over " +
                  std::to_string(attrs.num_kv_heads) + " kv heads for q " + q.to_string() +
                  ", wanted whole multiples");
  }
  if (attrs.window < 0) {
    return c.fail("window, got " + std::to_string(attrs.window) + ", wanted 0 or more");
  }
  // What kernels may divide by.
  if (attrs.softcap != 0 && !(attrs.softcap >= 1e-30f && attrs.softcap <= 1e30f)) {
    return c.fail("softcap, got " + format_f32(attrs.softcap) + ", wanted 0 or 1e-30 to 1e30");
  }
  for (int i : {1, 2}) {
    const std::int64_t width =
        is_static_dim(q[1]) ? q[1] / attrs.num_heads * attrs.num_kv_heads : kUnknownDim;
    if (auto s = check_dims(c, "row size of the cache", c.in(i).shape[2], width); !s) return s;
  }
  if (auto s = all_of(check_dims(c, "tokens of sequences", c.in(4).shape[0], q[0]),
                      check_dims(c, "tokens of positions", c.in(5).shape[0], q[0]));
      !s) {
    return s;
  }
  if (c.has(kSinks)) {
    if (auto s = check_dims(c, "sinks", c.in(kSinks).shape[0], attrs.num_heads); !s) return s;
  }
  set_output(c, 0, c.in(0).dtype, q);
  return Status::success();
}

/// Where one token's keys and values lie.
struct Reader {
  const RefContext& c;
  std::int64_t head_size;
  std::int64_t sequence;

  /// Row of the cache for a position, or -1 where the block table names no page.
  std::int64_t row(std::int64_t position) const {
    const Shape& cache = c.in(1).type.shape;
    const std::int64_t page_in_table = position / cache[1];
    const Shape& table = c.in(3).type.shape;
    if (sequence >= table[0] || page_in_table >= table[1]) return -1;
    const std::int64_t page = get_i64(c.in(3), sequence * table[1] + page_in_table);
    if (page < 0 || page >= cache[0]) return -1;
    return page * cache[1] + position % cache[1];
  }
  void read_row(int input, std::int64_t cache_row, std::vector<double>& out) const {
    decode_f64(c.in(input), cache_row * static_cast<std::int64_t>(out.size()), out);
  }
};

/// What becomes of q . k before the softmax.
struct Scoring {
  double scale;
  double cap;  // 0: none

  double operator()(double dot) const {
    return cap > 0 ? cap * std::tanh(dot * scale / cap) : dot * scale;
  }
};

/// Softmax of the scores over the positions and the sink, then the weighted sum of v, for one head
/// of one token.
void attend(std::span<const double> q, std::span<const std::vector<double>> keys,
            std::span<const std::vector<double>> values, std::int64_t kv_offset,
            const Scoring& scoring, const double* sink, std::span<double> y) {
  std::vector<double> weight(keys.size());
  double peak = -INFINITY;
  for (std::size_t p = 0; p < keys.size(); ++p) {
    double dot = 0;
    for (std::size_t d = 0; d < q.size(); ++d) {
      dot += q[d] * keys[p][static_cast<std::size_t>(kv_offset) + d];
    }
    weight[p] = scoring(dot);
    peak = std::max(peak, weight[p]);
  }
  if (sink != nullptr) peak = std::max(peak, *sink);
  double sum = sink != nullptr ? std::exp(*sink - peak) : 0;
  for (double& w : weight) sum += w = std::exp(w - peak);
  for (std::size_t d = 0; d < y.size(); ++d) {
    double total = 0;
    for (std::size_t p = 0; p < keys.size(); ++p) {
      total += weight[p] * values[p][static_cast<std::size_t>(kv_offset) + d];
    }
    y[d] = total / sum;
  }
}

Status token(RefContext& c, std::int64_t t, std::vector<double>& y) {
  const auto& attrs = c.as<PagedAttentionAttrs>();
  const std::int64_t head_size = c.in(0).type.shape[1] / attrs.num_heads;
  const auto width = static_cast<std::size_t>(c.in(1).type.shape[2]);
  const double scale = attrs.scale != 0.0f ? static_cast<double>(attrs.scale)
                                           : 1.0 / std::sqrt(static_cast<double>(head_size));
  const Scoring scoring{scale, static_cast<double>(attrs.softcap)};
  const Reader reader{c, head_size, get_i64(c.in(4), t)};
  const std::int64_t end = std::max<std::int64_t>(0, get_i64(c.in(5), t) + 1);
  const std::int64_t begin = attrs.window > 0 ? std::max<std::int64_t>(0, end - attrs.window) : 0;
  const auto positions = static_cast<std::size_t>(end - begin);
  std::vector<std::vector<double>> keys(positions, std::vector<double>(width));
  std::vector<std::vector<double>> values = keys;
  for (std::size_t p = 0; p < positions; ++p) {
    const std::int64_t position = begin + static_cast<std::int64_t>(p);
    const std::int64_t row = reader.row(position);
    if (row < 0) {
      return c.fail("no page for position " + std::to_string(position) + " of sequence " +
                    std::to_string(reader.sequence));
    }
    reader.read_row(1, row, keys[p]);
    reader.read_row(2, row, values[p]);
  }
  if (positions == 0) return Status::success();
  std::vector<double> q(y.size());
  decode_f64(c.in(0), t * static_cast<std::int64_t>(y.size()), q);
  for (std::int64_t h = 0; h < attrs.num_heads; ++h) {
    const auto at = static_cast<std::size_t>(h * head_size);
    const auto size = static_cast<std::size_t>(head_size);
    const std::int64_t kv_head = h / (attrs.num_heads / attrs.num_kv_heads);
    const double sink = c.has(kSinks) ? get_f64(c.in(kSinks), h) : 0;
    attend(std::span(q).subspan(at, size), keys, values, kv_head * head_size, scoring,
           c.has(kSinks) ? &sink : nullptr, std::span(y).subspan(at, size));
  }
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& q = c.in(0).type.shape;
  for (std::int64_t t = 0; t < q[0]; ++t) {
    std::vector<double> y(static_cast<std::size_t>(q[1]), 0.0);
    if (get_i64(c.in(4), t) >= 0) {
      if (auto s = token(c, t, y); !s) return s;
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
      put_f64(c.out(0), t * q[1] + static_cast<std::int64_t>(i), y[i]);
    }
  }
  return Status::success();
}

/// The pages of every token's sequence, one after another, per kv head: [T, kv heads, positions,
/// D].
ValueId read_cache(DecomposeContext& d, ValueId cache, ValueId pages, std::int64_t kv_heads,
                   std::int64_t head_size, DType dtype) {
  if (!d.type(cache).encoding.is_plain()) cache = d.add("polaris.Decode", {cache});
  const ValueId rows = cast_to(d, d.add("Gather", {cache, pages}), dtype);
  return transpose_by(d, reshape_to(d, rows, {0, -1, kv_heads, head_size}), {0, 2, 1, 3});
}

/// Softmax of scores [T, kv heads, group, positions], of which each head's sink takes a part.
ValueId softmax_with(DecomposeContext& d, ValueId scores, ValueId sinks, ValueId alive) {
  if (!sinks.valid()) return d.add("Softmax", {scores});
  const TensorType& type = d.type(scores);
  const ValueId column =
      reshape_to(d, cast_to(d, sinks, type.dtype), {1, type.shape[1], type.shape[2], 1});
  const ValueId each = d.add("Where", {unsqueeze_at(d, alive, {1, 2, 3}), column, column});
  auto attrs = std::make_unique<ConcatAttrs>();
  attrs->axis = -1;
  const ValueId all = d.add("Softmax", {d.add("Concat", {scores, each}, std::move(attrs))});
  return d.add("Slice",
               {all, int64_constant(d, {0}), int64_constant(d, {-1}), int64_constant(d, {3})});
}

Status decompose(DecomposeContext& d) {
  const PagedAttentionAttrs attrs = d.as<PagedAttentionAttrs>();
  const TensorType q = d.type(d.input(0));
  if (!is_static_dim(q.shape[1])) {
    return Error::unsupported("[polaris.PagedAttention] decomposition of q " + q.to_string() +
                              ", wanted rows of a fixed size");
  }
  const std::int64_t head_size = q.shape[1] / attrs.num_heads;
  const std::int64_t group = attrs.num_heads / attrs.num_kv_heads;
  const double scale = attrs.scale != 0.0f ? static_cast<double>(attrs.scale)
                                           : 1.0 / std::sqrt(static_cast<double>(head_size));
  const ValueId zero = scalar_constant(d, DType::kI64, 0);
  const ValueId sequence = cast_to(d, d.input(4), DType::kI64);
  const ValueId position = cast_to(d, d.input(5), DType::kI64);
  const ValueId alive = d.add("And", {d.add("GreaterOrEqual", {sequence, zero}),
                                      d.add("GreaterOrEqual", {position, zero})});
  const ValueId table = d.add("Gather", {d.input(3), d.add("Max", {sequence, zero})});
  const ValueId pages = d.add("Max", {cast_to(d, table, DType::kI64), zero});
  const ValueId keys = read_cache(d, d.input(1), pages, attrs.num_kv_heads, head_size, q.dtype);
  const ValueId values = read_cache(d, d.input(2), pages, attrs.num_kv_heads, head_size, q.dtype);

  const ValueId heads = reshape_to(d, d.input(0), {0, attrs.num_kv_heads, group, head_size});
  const ValueId dots = d.add("MatMul", {heads, transpose_by(d, keys, {0, 1, 3, 2})});
  ValueId scores = d.add("Mul", {dots, scalar_constant(d, q.dtype, scale)});
  if (attrs.softcap > 0) {
    const ValueId cap = scalar_constant(d, q.dtype, static_cast<double>(attrs.softcap));
    scores = d.add("Mul", {d.add("Tanh", {d.add("Div", {scores, cap})}), cap});
  }
  const ValueId one = scalar_constant(d, DType::kI64, 1);
  const ValueId steps = d.add("Range", {zero, dim_of(d, keys, 2), one});
  const ValueId last = unsqueeze_at(d, position, {1});
  ValueId seen = d.add("LessOrEqual", {steps, last});
  if (attrs.window > 0) {
    const ValueId before = d.add("Sub", {last, scalar_constant(d, DType::kI64, attrs.window)});
    seen = d.add("And", {seen, d.add("Greater", {steps, before})});
  }
  const ValueId masked =
      d.add("Where", {unsqueeze_at(d, seen, {1, 2}), scores, scalar_constant(d, q.dtype, -60000)});
  const ValueId mixed = d.add("MatMul", {softmax_with(d, masked, d.input(kSinks), alive), values});
  const ValueId y = reshape_to(d, mixed, {0, q.shape[1]});
  d.set_output(0, d.add("Where", {unsqueeze_at(d, alive, {1}), y, scalar_constant(d, q.dtype, 0)}));
  return d.status();
}

/// At the bound: every token sees its whole block table row.
std::int64_t flops(const NodeTypes& n) {
  return 4 * n.inputs[0].shape.elements() * n.inputs[3].shape[1] * n.inputs[1].shape[1];
}

constexpr Port kInputs[] = {{"q"},
                            {"cache_k", kAcceptsEncoded},
                            {"cache_v", kAcceptsEncoded},
                            {"block_table"},
                            {"sequences"},
                            {"positions"},
                            {"sinks", kOptional}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_paged_attention{
    .name = "PagedAttention",
    .domain = "polaris",
    .doc =
        "Causal attention over paged caches: token t attends to positions 0 to positions[t] of "
        "sequence sequences[t]; position p lies in page block_table[sequence][p / page_size], "
        "row p % page_size. With a window it attends to the last `window` of these, and positions "
        "before need no page. With a softcap c scores s become c tanh(s / c). sinks[num_heads] "
        "are scores of nothing: each takes its part of its head's softmax and gives none. A "
        "negative sequence gives zeros.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<PagedAttentionAttrs>,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
