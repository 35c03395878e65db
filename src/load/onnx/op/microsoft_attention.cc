// com.microsoft: attention and rotary embedding, by ONNX's own ops of those names.
#include <string>

#include "load/onnx/op/steps.h"

namespace polaris::onnx {
namespace {

constexpr std::int64_t kHiddenMax = 1 << 30;
constexpr float kMaskFilter = -10000.0f;  // what ONNX Runtime adds to what a mask hides

ValueId slice(Steps& s, ValueId x, std::int64_t from, std::int64_t to, std::int64_t axis) {
  return s.add("Slice", {x, s.ints({from}), s.ints({to}), s.ints({axis})});
}

/// What is added to scores [batch, heads, queries, keys] for a mask of keys: int32 [batch, keys]
/// with 0 for hidden ones, or [batch] lengths of `keys`.
ValueId key_mask(Steps& s, NodeImport& node, std::size_t input, ValueId keys) {
  const int rank = node.rank(input);
  ValueId seen = s.input(input);
  if (rank == 1) {
    const ValueId count = s.add(
        "Squeeze", {s.add("Shape", {keys}, {{"start", std::int64_t{1}}, {"end", std::int64_t{2}}}),
                    s.ints({0})});
    const ValueId zero = s.number_like(0, count);
    const ValueId one = s.number_like(1, count);
    const ValueId places = s.add("CastLike", {s.add("Range", {zero, count, one}), seen});
    seen = s.add("Less", {places, s.add("Unsqueeze", {seen, s.ints({1})})});
  } else if (rank == 2) {
    seen = s.add("Greater", {seen, s.number_like(0, seen)});
  } else {
    s.fail(node.unsupported("rank of input " + std::to_string(input) +
                            ", wanted a mask of rank 1 or 2"));
    return kNoValue;
  }
  const float hidden = node.attrs.get_float("mask_filter_value").value_or(kMaskFilter);
  const ValueId added = s.add("Where", {seen, s.number_like(0, keys), s.number_like(hidden, keys)});
  return s.add("Unsqueeze", {added, s.ints({1, 2})});
}

struct Heads {
  ValueId q, k, v;
};

/// Attention with the node's own attributes. `mask`: added to the scores, kNoValue for none.
void attend(Steps& s, NodeImport& node, const Heads& heads, ValueId mask, ValueId past_key,
            ValueId past_value) {
  const auto count = node.attrs.get_int("num_heads");
  if (!count || *count < 1) {
    s.fail(node.fail("attribute 'num_heads', wanted INT of 1 or more"));
    return;
  }
  const bool caches = past_key.valid() || node.has_output(1) || node.has_output(2);
  std::vector<ValueId> inputs = {heads.q, heads.k, heads.v};
  if (mask.valid() || past_key.valid()) inputs.push_back(mask);
  if (past_key.valid()) inputs.insert(inputs.end(), {past_key, past_value});
  const auto out = s.add_all("Attention", std::move(inputs), caches ? 3 : 1,
                             {{"q_num_heads", *count},
                              {"kv_num_heads", *count},
                              {"is_causal", node.attrs.get_int("unidirectional").value_or(0)},
                              {"scale", node.attrs.get_float("scale").value_or(0.0f)}});
  for (std::size_t i = 0; i < out.size(); ++i) s.give(i, out[i]);
}

}  // namespace

/// Q, K and V by one product; a mask of keys, and what is added to the scores.
Status microsoft_attention(NodeImport& node) {
  for (const std::size_t i : {4u, 6u}) {
    if (node.has_input(i)) return node.unsupported("input " + std::to_string(i) + " (past)");
  }
  if (node.has_output(1)) return node.unsupported("output 1 (present)");
  if (node.attrs.get_int("do_rotary").value_or(0) != 0) {
    return node.unsupported("do_rotary, wanted 0");
  }
  Steps s(node);
  const ValueId x = s.needed(0);
  const ValueId weights = s.needed(1);
  if (!s.status()) return s.status();
  const Value& weight = node.importer().graph().value(weights);
  if (node.rank(1) != 2 || !is_static_dim(weight.type.shape[1])) {
    return node.unsupported("shape of input 1 is not known");
  }
  const std::int64_t columns = weight.type.shape[1];
  auto sizes =
      node.attrs.get_ints("qkv_hidden_sizes").value_or(std::vector<std::int64_t>(3, columns / 3));
  if (sizes.size() != 3 || sizes[0] < 1 || sizes[0] != sizes[1] || sizes[2] < 1 ||
      sizes[0] > columns / 2 || sizes[2] != columns - 2 * sizes[0]) {
    return node.unsupported("qkv_hidden_sizes, wanted three that make " + std::to_string(columns));
  }
  const ValueId qkv = s.plus(s.add("MatMul", {x, weights}), s.input(2));
  const Heads heads = {slice(s, qkv, 0, sizes[0], 2), slice(s, qkv, sizes[0], 2 * sizes[0], 2),
                       slice(s, qkv, 2 * sizes[0], columns, 2)};
  ValueId mask = kNoValue;
  if (s.input(3).valid()) mask = key_mask(s, node, 3, x);
  if (s.input(5).valid()) mask = mask.valid() ? s.plus(mask, s.input(5)) : s.input(5);
  attend(s, node, heads, mask, kNoValue, kNoValue);
  return s.status();
}

/// Q, K and V of rank 3, with a bias for all three.
Status multi_head_attention(NodeImport& node) {
  if (node.rank(0) != 3 || node.rank(1) != 3 || node.rank(2) != 3) {
    return node.unsupported("query, key and value, wanted three of rank 3");
  }
  for (std::size_t i = 8; i < node.inputs.size(); ++i) {
    if (node.has_input(i)) return node.unsupported("input " + std::to_string(i));
  }
  Steps s(node);
  Heads heads = {s.needed(0), s.needed(1), s.needed(2)};
  if (s.input(3).valid()) {
    const auto size = [&](std::size_t i) {
      return node.importer().graph().value(node.inputs[i]).type.shape[2];
    };
    const std::int64_t q = size(0);
    const std::int64_t v = size(2);
    if (!is_static_dim(q) || !is_static_dim(v) || q > kHiddenMax || v > kHiddenMax) {
      return node.unsupported("hidden sizes, wanted numbers to 2^30");
    }
    heads.q = s.plus(heads.q, slice(s, s.input(3), 0, q, 0));
    heads.k = s.plus(heads.k, slice(s, s.input(3), q, 2 * q, 0));
    heads.v = s.plus(heads.v, slice(s, s.input(3), 2 * q, 2 * q + v, 0));
  }
  ValueId mask = kNoValue;
  if (s.input(4).valid()) mask = key_mask(s, node, 4, heads.k);
  if (s.input(5).valid()) mask = mask.valid() ? s.plus(mask, s.input(5)) : s.input(5);
  attend(s, node, heads, mask, s.input(6), s.input(7));
  return s.status();
}

/// ONNX's takes the positions last, one for each token.
Status microsoft_rotary_embedding(NodeImport& node) {
  if (node.attrs.get_float("scale").value_or(1.0f) != 1 ||
      node.attrs.get_int("is_packed_batching").value_or(0) != 0) {
    return node.unsupported("scale and is_packed_batching, wanted 1 and 0");
  }
  Steps s(node);
  const ValueId x = s.needed(0);
  ValueId positions = s.needed(1);
  const ValueId cosines = s.needed(2);
  const ValueId sines = s.needed(3);
  if (!s.status()) return s.status();
  const Graph& graph = node.importer().graph();
  const int rank = node.rank(0);
  std::int64_t heads = node.attrs.get_int("num_heads").value_or(0);
  if (rank == 3 && heads == 0) {
    const Shape& shape = graph.value(x).type.shape;
    const Shape cache = node.rank(2) == 2 ? graph.value(cosines).type.shape : Shape{0, 0};
    if (!is_static_dim(shape[2]) || !is_static_dim(cache[1]) || cache[1] < 1 ||
        cache[1] > shape[2] / 2 || shape[2] % (2 * cache[1]) != 0) {
      return node.unsupported("num_heads, got 0 and sizes that do not tell it");
    }
    heads = shape[2] / (2 * cache[1]);
  }
  if (rank != 3 && rank != 4) return node.unsupported("rank of the input, wanted 3 or 4");
  if (node.rank(1) == 1) {  // where the first token stands
    const std::int64_t at = rank == 3 ? 1 : 2;
    const ValueId shape = s.add("Shape", {x});
    const ValueId length = s.add("Gather", {shape, s.ints({at})});
    const ValueId count = s.add("Squeeze", {length, s.ints({0})});
    const ValueId places =
        s.add("Range", {s.number_like(0, count), count, s.number_like(1, count)});
    const ValueId batch = s.add("Gather", {shape, s.ints({0})});
    const ValueId moved = s.add("Add", {places, s.add("CastLike", {positions, count})});
    positions =
        s.add("Expand", {moved, s.add("Concat", {batch, length}, {{"axis", std::int64_t{0}}})});
  }
  s.give(0,
         s.add("RotaryEmbedding", {x, cosines, sines, positions},
               {{"interleaved", node.attrs.get_int("interleaved").value_or(0)},
                {"num_heads", heads},
                {"rotary_embedding_dim", node.attrs.get_int("rotary_embedding_dim").value_or(0)}}));
  return s.status();
}

}  // namespace polaris::onnx
