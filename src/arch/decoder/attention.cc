#include "arch/decoder/attention.h"

#include <string>
#include <utility>
#include <vector>

#include "arch/decoder/norm.h"
#include "ir/op_attrs/attention.h"

namespace polaris {
namespace {

/// One layer's attention under way.
struct Layer {
  ArchBuilder& b;
  const DecoderSpec& spec;
  DecoderInputs& in;
  const DecoderRopes& ropes;
  std::int64_t index;

  bool window() const { return spec.has_window(index); }
  std::string blk() const { return "blk." + std::to_string(index) + "."; }

  ValueId projected(const std::string& name, ValueId x, std::int64_t first, std::int64_t heads,
                    bool turned = false) const;
  ValueId heads_of(const std::string& name, ValueId x, std::int64_t first,
                   std::int64_t heads) const;
  std::vector<ValueId> write(CacheGroup& group, const CacheValues& cache, ValueId k,
                             ValueId v) const;
  std::vector<ValueId> as_pages(ValueId k, ValueId v) const;
};

/// Heads of q, k or v, of which `first` is the first where one matrix holds all of them.
ValueId Layer::projected(const std::string& name, ValueId x, std::int64_t first, std::int64_t heads,
                         bool turned) const {
  const std::int64_t size = spec.head_size;
  if (!spec.fused_qkv) {
    const bool neighbours = turned && spec.rope.pairs == RopePairs::kNeighbours;
    return b.linear(blk() + name, x, spec.width, heads * size, neighbours ? heads : 0);
  }
  const std::int64_t all = spec.heads + 2 * spec.kv_heads;
  return b.linear_of_rows(blk() + name, blk() + "attn_qkv", x, spec.width,
                          {all * size, first * size, heads * size});
}

/// Projected, each head normed, and turned: q or k.
ValueId Layer::heads_of(const std::string& name, ValueId x, std::int64_t first,
                        std::int64_t heads) const {
  const std::int64_t width = heads * spec.head_size;
  ValueId y = projected(name, x, first, heads, spec.turned);
  if (spec.head_norms) {
    const std::string of = blk() + name + "_norm";
    const ValueId apart = b.reshape(of + ".heads", y, {-1, heads, spec.head_size});
    y = b.reshape(of + ".rows", norm(b, spec, of, apart, spec.head_size), {-1, width});
  }
  if (!spec.turned) return y;
  const bool own = window() && spec.window_rope;
  return rotate(b, own ? *spec.window_rope : spec.rope, own ? ropes.window : ropes.whole,
                in.rope_positions, blk() + name, y, heads, spec.head_size);
}

/// The layer's two states with its rows in them.
std::vector<ValueId> Layer::write(CacheGroup& group, const CacheValues& cache, ValueId k,
                                  ValueId v) const {
  const std::string kv = "kv." + std::to_string(index) + ".";
  const std::size_t state = b.graph().states().size();
  const ValueId cache_k = b.graph().add_state(kv + "k", cache.state, nullptr, true);
  const ValueId cache_v = b.graph().add_state(kv + "v", cache.state, nullptr, true);
  group.states.push_back(kv + "k");
  group.states.push_back(kv + "v");
  std::vector<ValueId> written = b.node("polaris.KvWrite", blk() + "kv_write",
                                        {cache_k, cache_v, k, v, cache.slots}, nullptr, 2);
  b.graph().set_state_update(state, written[0]);
  b.graph().set_state_update(state + 1, written[1]);
  return written;
}

/// The rows themselves as pages: what sees whole texts at once needs no cache.
std::vector<ValueId> Layer::as_pages(ValueId k, ValueId v) const {
  const std::int64_t width = spec.kv_heads * spec.head_size;
  return {b.reshape(blk() + "attn_k.pages", k, {-1, in.page_rows, width}),
          b.reshape(blk() + "attn_v.pages", v, {-1, in.page_rows, width})};
}

}  // namespace

DecoderRopes decoder_ropes(ArchBuilder& b, const DecoderSpec& spec) {
  DecoderRopes out;
  if (!spec.turned) return out;
  out.whole = rope_tables(b, spec.rope, spec.context, "rope", spec.rope.divisors);
  if (spec.window_rope) {
    out.window = rope_tables(b, *spec.window_rope, spec.context, "rope.window", "");
  }
  return out;
}

ValueId attention(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                  const DecoderRopes& ropes, std::int64_t layer, ValueId x) {
  const Layer part{b, spec, in, ropes, layer};
  const std::string blk = part.blk();
  const std::size_t group = in.group_of(spec, layer);
  const CacheValues& cache = in.groups[group];
  const ValueId q = part.heads_of("attn_q", x, 0, spec.heads);
  const ValueId k = part.heads_of("attn_k", x, spec.heads, spec.kv_heads);
  const ValueId v = part.projected("attn_v", x, spec.heads + spec.kv_heads, spec.kv_heads);
  const std::vector<ValueId> written =
      in.embedder ? part.as_pages(k, v) : part.write(in.contract.groups[group], cache, k, v);
  auto attrs = std::make_unique<PagedAttentionAttrs>();
  attrs->num_heads = spec.heads;
  attrs->num_kv_heads = spec.kv_heads;
  attrs->scale = spec.attention_scale;
  attrs->window = part.window() ? spec.window : 0;
  attrs->softcap = spec.attention_cap;
  std::vector<ValueId> operands = {
      q, written[0], written[1], cache.block_table, in.sequences, cache.positions};
  if (spec.sinks) {
    operands.push_back(b.weight_f32(blk + "attn_sinks.weight", Shape{spec.heads}));
  }
  const ValueId mixed =
      b.apply("polaris.PagedAttention", blk + "attn", std::move(operands), std::move(attrs));
  return b.linear(blk + "attn_output", mixed, spec.heads * spec.head_size, spec.width);
}

}  // namespace polaris
