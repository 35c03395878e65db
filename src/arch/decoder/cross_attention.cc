#include "arch/decoder/cross_attention.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/op_attrs/attention.h"

namespace polaris {
namespace {

std::string state_name(std::int64_t layer, const char* which) {
  return "cross." + std::to_string(layer) + "." + which;
}

std::string block_name(std::int64_t layer) { return "blk." + std::to_string(layer) + "."; }

}  // namespace

ValueId cross_attention(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                        std::int64_t layer, ValueId x) {
  const std::string blk = block_name(layer);
  const CacheValues& cache = in.groups.back();
  const std::int64_t width = spec.heads * spec.head_size;
  const ValueId q = b.linear(blk + "cross_attn_q", x, spec.width, width);
  std::vector<ValueId> operands = {q};
  for (const char* which : {"k", "v"}) {
    operands.push_back(b.graph().add_state(state_name(layer, which), cache.state, nullptr, true));
    in.contract.groups.back().states.push_back(state_name(layer, which));
  }
  operands.insert(operands.end(), {cache.block_table, in.sequences, cache.positions});
  auto attrs = std::make_unique<PagedAttentionAttrs>();
  attrs->num_heads = spec.heads;
  attrs->num_kv_heads = spec.kv_heads;
  attrs->scale = spec.attention_scale;
  const ValueId mixed =
      b.apply("polaris.PagedAttention", blk + "cross_attn", std::move(operands), std::move(attrs));
  return b.linear(blk + "cross_attn_output", mixed, width, spec.width);
}

void write_source(ArchBuilder& b, const DecoderSpec& spec, ValueId rows, ValueId slots) {
  const TensorType type = cache_type(b, spec, "cross.");
  const std::int64_t width = spec.kv_heads * spec.head_size;
  for (std::int64_t layer = 0; layer < spec.layers && b.ok(); ++layer) {
    const std::string blk = block_name(layer);
    const ValueId k = b.linear(blk + "cross_attn_k", rows, spec.width, width);
    const ValueId v = b.linear(blk + "cross_attn_v", rows, spec.width, width);
    const std::size_t state = b.graph().states().size();
    const ValueId cache_k = b.graph().add_state(state_name(layer, "k"), type, nullptr, true);
    const ValueId cache_v = b.graph().add_state(state_name(layer, "v"), type, nullptr, true);
    const std::vector<ValueId> written = b.node("polaris.KvWrite", blk + "cross_kv_write",
                                                {cache_k, cache_v, k, v, slots}, nullptr, 2);
    b.graph().set_state_update(state, written[0]);
    b.graph().set_state_update(state + 1, written[1]);
  }
}

}  // namespace polaris
