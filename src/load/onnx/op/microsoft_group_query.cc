// com.microsoft.GroupQueryAttention, by products and a softmax. What a decoder over a paged cache
// makes of it: load/onnx/paged_layers.cc.
#include <cmath>
#include <limits>
#include <string>

#include "base/strings.h"
#include "load/onnx/op/group_query.h"

namespace polaris::onnx {
namespace {

constexpr std::int64_t kSizeMax = 1 << 20;
constexpr float kCapMin = 1e-30f;  // what kernels may divide by
constexpr float kCapMax = 1e30f;

/// Dim `axis` of x, as one number in a list.
ValueId dim_of(Steps& s, ValueId x, std::int64_t axis) {
  return s.add("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
}
ValueId scalar_of(Steps& s, ValueId list) { return s.add("Squeeze", {list, s.ints({0})}); }
ValueId reshape(Steps& s, ValueId x, const std::vector<std::int64_t>& dims) {
  return s.add("Reshape", {x, s.ints(dims)});
}
ValueId swap_tokens_and_heads(Steps& s, ValueId x) {
  AttrMap attrs;
  attrs.set_ints("perm", {0, 2, 1, 3});
  return s.add_by("Transpose", {x}, attrs);
}
ValueId join(Steps& s, std::vector<ValueId> parts, std::int64_t axis) {
  return s.add("Concat", std::move(parts), {{"axis", axis}});
}
/// 0, 1 ... of a list's one number.
ValueId count_to(Steps& s, ValueId list) {
  const ValueId end = scalar_of(s, list);
  return s.add("Range", {s.number_like(0, end), end, s.number_like(1, end)});
}

Status check_words(NodeImport& node) {
  for (const char* kind : {"k_quant_type", "v_quant_type"}) {
    const std::string_view text = node.attrs.get_text(kind).value_or("NONE");
    if (text == "NONE") continue;
    return node.unsupported(std::string(kind) + ", got '" + printable(text) + "', wanted NONE");
  }
  struct Flag {
    const char* name;
    std::int64_t wanted;
  };
  for (const Flag& flag : {Flag{"causal", 1}, Flag{"qk_output", 0}, {"sliding_window_cache", 0}}) {
    const std::int64_t got = node.attrs.get_int(flag.name).value_or(flag.wanted);
    if (got == flag.wanted) continue;
    return node.unsupported(std::string(flag.name) + ", got " + std::to_string(got) + ", wanted " +
                            std::to_string(flag.wanted));
  }
  constexpr const char* kRefused[] = {"attention_bias", "head_sink",     "k_scale",
                                      "v_scale",        "q_norm_weight", "k_norm_weight"};
  for (std::size_t i = kGqaBias; i < node.inputs.size(); ++i) {
    if (!node.has_input(i) || i == kGqaSinks) continue;
    const std::size_t at = i - kGqaBias;
    const std::string name = at < std::size(kRefused) ? kRefused[at] : "";
    return node.unsupported("input " + std::to_string(i) + " (" + name + ")");
  }
  return node.has_output(3) ? Status(node.unsupported("output 3 (output_qk)")) : Status::success();
}

/// Elements of a head, of the query's width or what else tells it.
Result<std::int64_t> head_size_of(NodeImport& node, const GroupQuery& query) {
  const Graph& graph = node.importer().graph();
  const bool packed = !node.has_input(kGqaKey);
  const std::int64_t heads = packed ? query.heads + 2 * query.kv_heads : query.heads;
  if (node.rank(kGqaQuery) != 3) return node.unsupported("rank of the query, wanted 3");
  const std::int64_t width = graph.value(node.inputs[kGqaQuery]).type.shape[2];
  if (is_static_dim(width)) {
    if (width > 0 && width % heads == 0 && width / heads <= kSizeMax) return width / heads;
    return node.fail("width of the query, got " + std::to_string(width) +
                     ", wanted a multiple of " + std::to_string(heads) + " heads");
  }
  return node.unsupported("width of the query is not known");
}

/// The dims of a rotary table, which must be known.
Result<std::int64_t> table_width(NodeImport& node, const GroupQuery& query) {
  for (const std::size_t i : {kGqaCosines, kGqaSines}) {
    const Graph& graph = node.importer().graph();
    const std::int64_t width =
        node.rank(i) == 2 ? graph.value(node.inputs[i]).type.shape[1] : kUnknownDim;
    if (is_static_dim(width) && width >= 1 && width <= query.head_size / 2) {
      if (i == kGqaSines) return width;
      continue;
    }
    return node.fail(
        "input " + std::to_string(i) +
        " (cos_cache, sin_cache), wanted [positions, n] with n from 1 to half of the " +
        std::to_string(query.head_size) + " elements of a head");
  }
  return 0;
}

ValueId columns(Steps& s, ValueId x, std::int64_t from, std::int64_t to) {
  return s.add("Slice", {x, s.ints({from}), s.ints({to}), s.ints({2})});
}

/// What is read and what is new, in a cache of its own.
struct Cache {
  ValueId key, value;  // [batch, kv heads, total, head size]
  ValueId positions;   // [batch, tokens]
};

/// Where the first new token of each row of the batch stands: [batch].
ValueId past_lengths(Steps& s, NodeImport& node, ValueId tokens, ValueId total) {
  const ValueId lengths =
      s.add("Cast", {reshape(s, s.needed(kGqaLengths), {-1})}, {{"to", std::int64_t{7}}});
  const ValueId before = s.add("Sub", {s.add("Add", {lengths, s.ints({1})}), tokens});
  // A prompt may be padded on the right, to the longest of the batch.
  if (!node.has_input(kGqaPastKey)) return s.add("Mul", {before, s.ints({0})});
  return s.add("Where", {s.add("Equal", {total, tokens}), s.ints({0}), before});
}

/// `past` with `fresh` written behind what of it counts, and zeros where nothing does.
ValueId grown(Steps& s, ValueId past, ValueId fresh, ValueId extra, ValueId before) {
  if (!past.valid()) return fresh;
  const ValueId none = s.ints({0, 0, 0, 0, 0, 0});
  const ValueId pads = join(s, {none, extra, s.ints({0})}, 0);
  const ValueId longer = s.add("Pad", {past, pads});
  const ValueId places = s.add("Unsqueeze", {count_to(s, dim_of(s, longer, 2)), s.ints({1})});
  const ValueId counts = s.add("Less", {places, s.add("Unsqueeze", {before, s.ints({1, 2, 3})})});
  const ValueId kept = s.add("Where", {counts, longer, s.number_like(0, past)});
  return s.add("TensorScatter", {kept, fresh, before}, {{"axis", std::int64_t{-2}}});
}

ValueId heads_first(Steps& s, ValueId rows, std::int64_t heads, std::int64_t size) {
  return swap_tokens_and_heads(s, reshape(s, rows, {0, 0, heads, size}));
}

/// softmax(q k^T) v of rows in `cache`, as [batch, tokens, heads * head size].
ValueId attend(Steps& s, NodeImport& node, const GroupQuery& query, ValueId rows,
               const Cache& cache) {
  const ValueId q = reshape(s, heads_first(s, rows, query.heads, query.head_size),
                            {0, query.kv_heads, -1, query.head_size});
  AttrMap turned;
  turned.set_ints("perm", {0, 1, 3, 2});
  const ValueId keys = s.add_by("Transpose", {cache.key}, turned);
  const auto size = static_cast<float>(query.head_size);
  const float scale = query.scale != 0 ? query.scale : 1.0f / std::sqrt(size);
  ValueId scores = s.add("Mul", {s.add("MatMul", {q, keys}), s.number_like(scale, q)});
  if (query.softcap > 0) {
    const ValueId cap = s.number_like(query.softcap, q);
    scores = s.add("Mul", {s.add("Tanh", {s.add("Div", {scores, cap})}), cap});
  }
  scores = reshape(s, scores, {0, query.heads, -1, 0});
  const ValueId places = count_to(s, dim_of(s, cache.key, 2));
  const ValueId own = s.add("Unsqueeze", {cache.positions, s.ints({1, 3})});
  ValueId seen = s.add("LessOrEqual", {places, own});
  if (query.window > 0) {
    const ValueId behind = s.add("Sub", {own, scalar_of(s, s.ints({query.window}))});
    seen = s.add("And", {seen, s.add("Greater", {places, behind})});
  }
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  scores = s.add("Where", {seen, scores, s.number_like(kNever, q)});
  const bool sinks = node.has_input(kGqaSinks);
  if (sinks || query.smooth) {
    const ValueId each = sinks ? s.add("CastLike", {s.input(kGqaSinks), q}) : s.number_like(0, q);
    const ValueId shape =
        join(s, {dim_of(s, q, 0), s.ints({query.heads}), dim_of(s, scores, 2), s.ints({1})}, 0);
    const ValueId column = sinks ? reshape(s, each, {1, query.heads, 1, 1}) : each;
    scores = join(s, {scores, s.add("Expand", {column, shape})}, 3);
  }
  ValueId weights = s.add("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
  if (sinks || query.smooth) {
    weights = s.add("Slice", {weights, s.ints({0}), s.ints({-1}), s.ints({3})});
  }
  const ValueId mixed =
      s.add("MatMul", {reshape(s, weights, {0, query.kv_heads, -1, 0}), cache.value});
  const ValueId apart = reshape(s, mixed, {0, query.heads, -1, query.head_size});
  return reshape(s, swap_tokens_and_heads(s, apart), {0, 0, query.heads * query.head_size});
}

}  // namespace

Result<GroupQuery> read_group_query(NodeImport& node) {
  if (auto s = check_words(node); !s) return s.error();
  GroupQuery out;
  out.heads = node.attrs.get_int("num_heads").value_or(0);
  out.kv_heads = node.attrs.get_int("kv_num_heads").value_or(0);
  if (out.heads < 1 || out.heads > kSizeMax || out.kv_heads < 1 || out.heads % out.kv_heads != 0) {
    return node.fail("num_heads and kv_num_heads, got " + std::to_string(out.heads) + " and " +
                     std::to_string(out.kv_heads) + ", wanted 1 or more, and a multiple");
  }
  if (node.has_input(kGqaKey) != node.has_input(kGqaValue)) {
    return node.fail("key and value, got one of them, wanted both or a packed query");
  }
  if (node.has_input(kGqaPastKey) != node.has_input(kGqaPastValue)) {
    return node.fail("past_key and past_value, got one of them, wanted both or neither");
  }
  const auto size = head_size_of(node, out);
  if (!size) return size.error();
  out.head_size = *size;
  out.scale = node.attrs.get_float("scale").value_or(0.0f);
  out.softcap = node.attrs.get_float("softcap").value_or(0.0f);
  if (!std::isfinite(out.scale)) return node.fail("scale, wanted a finite number");
  if (out.softcap != 0 && !(out.softcap >= kCapMin && out.softcap <= kCapMax)) {
    return node.fail("softcap, got " + format_f32(out.softcap) + ", wanted 0 or 1e-30 to 1e30");
  }
  const std::int64_t window = node.attrs.get_int("local_window_size").value_or(-1);
  if (window != -1 && (window < 1 || window > INT32_MAX)) {
    return node.fail("local_window_size, got " + std::to_string(window) +
                     ", wanted -1 or 1 to 2^31 - 1");
  }
  out.window = window == -1 ? 0 : window;
  out.rotary = node.attrs.get_int("do_rotary").value_or(0) != 0;
  out.interleaved = node.attrs.get_int("rotary_interleaved").value_or(0) != 0;
  out.smooth = node.attrs.get_int("smooth_softmax").value_or(0) != 0;
  return out;
}

QueryHeads query_heads(Steps& s, NodeImport& node, const GroupQuery& query, ValueId positions) {
  QueryHeads out{s.needed(kGqaQuery), s.input(kGqaKey), s.input(kGqaValue)};
  if (!out.k.valid()) {
    const std::int64_t q = query.heads * query.head_size;
    const std::int64_t kv = query.kv_heads * query.head_size;
    const ValueId packed = out.q;
    out = {columns(s, packed, 0, q), columns(s, packed, q, q + kv),
           columns(s, packed, q + kv, q + 2 * kv)};
  }
  if (!query.rotary || !s.status()) return out;
  const ValueId cosines = s.needed(kGqaCosines);
  const ValueId sines = s.needed(kGqaSines);
  if (!s.status()) return out;
  const auto width = table_width(node, query);
  if (!width) return s.fail(width.error()), out;
  const std::int64_t dims = 2 * *width == query.head_size ? 0 : 2 * *width;
  const auto turn = [&](ValueId x, std::int64_t heads) {
    return s.add("RotaryEmbedding", {x, cosines, sines, positions},
                 {{"interleaved", std::int64_t{query.interleaved}},
                  {"num_heads", heads},
                  {"rotary_embedding_dim", dims}});
  };
  out.q = turn(out.q, query.heads);
  out.k = turn(out.k, query.kv_heads);
  return out;
}

/// Tokens of each row of the batch behind those of its past, of which there are as many as
/// seqlens_k says; all in one cache, padded to the longest.
Status group_query_attention(NodeImport& node) {
  const auto query = read_group_query(node);
  if (!query) return query.error();
  Steps s(node);
  const ValueId first = s.needed(kGqaQuery);
  const ValueId given = s.needed(kGqaTotal);
  const ValueId past_key = s.input(kGqaPastKey);
  const ValueId past_value = s.input(kGqaPastValue);
  const ValueId tokens = dim_of(s, first, 1);
  const ValueId total = s.add("Cast", {reshape(s, given, {1})}, {{"to", std::int64_t{7}}});
  const ValueId before = past_lengths(s, node, tokens, total);
  Cache cache;
  const ValueId starts = s.add("Unsqueeze", {before, s.ints({1})});
  cache.positions = s.add("Add", {starts, count_to(s, tokens)});
  const ValueId turned = s.input(kGqaPositions).valid() ? s.input(kGqaPositions) : cache.positions;
  const QueryHeads rows = query_heads(s, node, *query, turned);
  ValueId extra;
  if (past_key.valid()) {
    // What the past has no room for; a total beyond all there is will find no place to be written.
    const ValueId room = dim_of(s, past_key, 2);
    const ValueId most = s.add("Min", {s.add("Sub", {total, room}), tokens});
    extra = s.add("Max", {most, s.ints({0})});
  }
  const std::int64_t size = query->head_size;
  cache.key = grown(s, past_key, heads_first(s, rows.k, query->kv_heads, size), extra, before);
  cache.value = grown(s, past_value, heads_first(s, rows.v, query->kv_heads, size), extra, before);
  s.give(0, attend(s, node, *query, rows.q, cache));
  s.give(1, cache.key);
  s.give(2, cache.value);
  return s.status();
}

}  // namespace polaris::onnx
