// Nodes of attention with a past, as attention over a paged cache.
#include <string>

#include "load/onnx/decoder_import.h"
#include "load/onnx/op/group_query.h"
#include "load/onnx/op/steps.h"

namespace polaris::onnx {
namespace {

/// q, k and v of the new tokens as rows [tokens, heads * head size], and how they attend.
struct PagedQuery {
  ValueId q, k, v;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  float scale = 0.0f;
  float softcap = 0.0f;
  ValueId sinks;
  bool heads_first = false;  // the result is [1, heads, tokens, head size]
};

ValueId as_rows(Steps& s, ValueId x, std::int64_t width) {
  return s.add("Reshape", {x, s.ints({-1, width})});
}

ValueId swap_tokens_and_heads(Steps& s, ValueId x) {
  AttrMap attrs;
  attrs.set_ints("perm", {0, 2, 1, 3});
  return s.add_by("Transpose", {x}, attrs);
}

Result<PagedQuery> group_query(Steps& s, NodeImport& node, const DecoderParts& parts) {
  const auto query = read_group_query(node);
  if (!query) return query.error();
  const ValueId given = s.input(kGqaPositions);
  const QueryHeads rows =
      query_heads(s, node, *query, given.valid() ? given : parts.in.rope_positions);
  PagedQuery out{rows.q,           rows.k,       rows.v,         query->heads, query->kv_heads,
                 query->head_size, query->scale, query->softcap, kNoValue};
  if (s.input(kGqaSinks).valid()) {
    out.sinks = s.add("Cast", {s.input(kGqaSinks)}, {{"to", std::int64_t{1}}});
  } else if (query->smooth) {
    auto zeros = Tensor::allocate(DType::kF32, Shape{query->heads});
    if (!zeros) return zeros.error();
    out.sinks = node.constant(zeros.take());
  }
  return out;
}

/// The last dim of an input of rank 3, which must be a number.
Result<std::int64_t> width_of(NodeImport& node, std::size_t i) {
  const std::int64_t width =
      node.rank(i) == 3 ? node.importer().graph().value(node.inputs[i]).type.shape[2] : kUnknownDim;
  if (is_static_dim(width) && width > 0) return width;
  return node.unsupported("input " + std::to_string(i) + ", wanted [batch, tokens, a number]");
}

Result<PagedQuery> multi_head(Steps& s, NodeImport& node) {
  if (node.attrs.get_int("unidirectional").value_or(0) != 1) {
    return node.unsupported("unidirectional, got 0, wanted 1 of a decoder");
  }
  for (const std::size_t i : {4u, 5u}) {
    if (node.has_input(i)) {
      return node.unsupported("input " + std::to_string(i) +
                              (i == 4 ? " (key_padding_mask), wanted attention_mask or none"
                                      : " (attention_bias), wanted none"));
    }
  }
  const std::int64_t heads = node.attrs.get_int("num_heads").value_or(0);
  PagedQuery out{s.needed(0),
                 s.needed(1),
                 s.needed(2),
                 heads,
                 heads,
                 0,
                 node.attrs.get_float("scale").value_or(0.0f),
                 0.0f,
                 kNoValue};
  if (!s.status()) return s.status().error();
  ValueId* const parts[] = {&out.q, &out.k, &out.v};
  std::int64_t from = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto width = width_of(node, i);
    if (!width) return width.error();
    if (heads < 1 || *width % heads != 0) {
      return node.fail("num_heads, got " + std::to_string(heads) + ", wanted a divisor of " +
                       std::to_string(*width));
    }
    if (i == 0) out.head_size = *width / heads;
    if (s.input(3).valid()) {
      const ValueId bias =
          s.add("Slice", {s.input(3), s.ints({from}), s.ints({from + *width}), s.ints({0})});
      *parts[i] = s.plus(*parts[i], bias);
    }
    from += *width;
  }
  return out;
}

/// ONNX's own: heads stand before the tokens, or in the rows.
Result<PagedQuery> attention(Steps& s, NodeImport& node, const DecoderParts& parts) {
  if (node.attrs.get_int("is_causal").value_or(0) != 1) {
    return node.unsupported("is_causal, got 0, wanted 1 of a decoder");
  }
  if (node.has_input(3)) return node.unsupported("input 3 (attn_mask), wanted none of a decoder");
  if (node.has_output(3)) return node.unsupported("output 3 (qk_matmul_output)");
  PagedQuery out;
  out.head_size = parts.past.head_size;
  out.scale = node.attrs.get_float("scale").value_or(0.0f);
  out.softcap = node.attrs.get_float("softcap").value_or(0.0f);
  std::int64_t* const counts[] = {&out.heads, &out.kv_heads, &out.kv_heads};
  ValueId* const rows[] = {&out.q, &out.k, &out.v};
  for (std::size_t i = 0; i < 3; ++i) {
    *rows[i] = s.needed(i);
    if (!s.status()) return s.status().error();
    if (node.rank(i) == 4) {
      out.heads_first |= i == 0;
      *counts[i] = node.importer().graph().value(node.inputs[i]).type.shape[1];
      *rows[i] = swap_tokens_and_heads(s, *rows[i]);
      continue;
    }
    const auto width = width_of(node, i);
    if (!width) return width.error();
    *counts[i] = *width / out.head_size;
  }
  return out;
}

Status check_sizes(NodeImport& node, const PagedQuery& query, const PastDecoder& past) {
  const bool whole = is_static_dim(query.heads) && query.heads >= 1 &&
                     is_static_dim(query.kv_heads) && query.kv_heads >= 1 &&
                     query.heads % query.kv_heads == 0;
  if (whole && query.kv_heads == past.kv_heads && query.head_size == past.head_size) {
    return Status::success();
  }
  return node.fail("heads, got " + std::to_string(query.heads) + " over " +
                   std::to_string(query.kv_heads) + " of " + std::to_string(query.head_size) +
                   " elements, wanted a multiple over the " + std::to_string(past.kv_heads) +
                   " of " + std::to_string(past.head_size) + " of its past");
}

}  // namespace

const PastLayer* layer_of(const DecoderParts& parts, const NodeDef& node) {
  if (node.outputs.empty()) return nullptr;
  const auto at = parts.past.layers.find(node.outputs[0]);
  return at == parts.past.layers.end() ? nullptr : &at->second;
}

Status import_paged_layer(NodeImport& node, DecoderParts& parts, const PastLayer& layer) {
  Steps s(node);
  auto query = layer.kind == PastLayer::Kind::kGroupQuery  ? group_query(s, node, parts)
               : layer.kind == PastLayer::Kind::kMultiHead ? multi_head(s, node)
                                                           : attention(s, node, parts);
  if (!query) return query.error();
  if (auto ok = check_sizes(node, *query, parts.past); !ok) return ok;
  std::size_t group = 0;
  while ((parts.in.contract.groups[group].window > 0) != (layer.window > 0)) ++group;
  const CacheValues& cache = parts.in.groups[group];
  GraphImporter& importer = node.importer();
  Graph& graph = importer.graph();
  const std::size_t first = graph.states().size();
  std::vector<ValueId> operands;
  for (const char* part : {".k", ".v"}) {
    const std::string name = "kv." + std::to_string(layer.index) + part;
    operands.push_back(graph.add_state(name, cache.state, nullptr, true));
    importer.set_type(operands.back(), cache.state);
    parts.in.contract.groups[group].states.push_back(name);
  }
  const std::int64_t kv_width = query->kv_heads * query->head_size;
  const std::int64_t width = query->heads * query->head_size;
  operands.push_back(as_rows(s, query->k, kv_width));
  operands.push_back(as_rows(s, query->v, kv_width));
  operands.push_back(cache.slots);
  const auto written = s.add_all("polaris.KvWrite", std::move(operands), 2);
  if (!s.status()) return s.status();
  for (std::size_t i = 0; i < 2; ++i) graph.set_state_update(first + i, written[i]);
  std::vector<ValueId> read = {as_rows(s, query->q, width), written[0],         written[1],
                               cache.block_table,           parts.in.sequences, cache.positions};
  if (query->sinks.valid()) read.push_back(query->sinks);
  const ValueId mixed = s.add("polaris.PagedAttention", std::move(read),
                              {{"num_heads", query->heads},
                               {"num_kv_heads", query->kv_heads},
                               {"scale", query->scale},
                               {"window", layer.window},
                               {"softcap", query->softcap}});
  if (query->heads_first) {
    const ValueId apart =
        s.add("Reshape", {mixed, s.ints({1, -1, query->heads, query->head_size})});
    s.give(0, swap_tokens_and_heads(s, apart));
  } else {
    s.give(0, s.add("Reshape", {mixed, s.ints({1, -1, width})}));
  }
  return s.status();
}

}  // namespace polaris::onnx
