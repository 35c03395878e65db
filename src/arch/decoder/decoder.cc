#include "arch/decoder/decoder.h"

#include <string>
#include <utility>

#include "arch/decoder/attention.h"
#include "arch/decoder/feed_forward.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/norm.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris {
namespace {

ValueId multiplied(ArchBuilder& b, const std::string& name, ValueId x, float factor) {
  if (!b.ok()) return kNoValue;
  auto scale = Tensor::from<float>(DType::kF32, Shape{}, {{factor}});
  if (!scale) return b.fail(scale.error()), kNoValue;
  return b.apply("Mul", name, {x, b.constant(name + ".factor", scale.take())});
}

/// Rows of the table `name`.weight as f32.
ValueId embedded(ArchBuilder& b, const std::string& name, const Shape& shape, ValueId rows) {
  const ValueId table = b.weight(name + ".weight", shape);
  if (!b.ok()) return kNoValue;
  const ValueId out = b.apply("Gather", name, {table, rows});
  if (b.graph().value(table).type.dtype == DType::kF32) return out;
  return b.apply("Cast", name + ".f32", {out}, std::make_unique<CastAttrs>());
}

ValueId embed(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in) {
  ValueId rows = embedded(b, "token_embd", {spec.vocab, spec.width}, in.tokens);
  if (!spec.turned) {
    const Shape positions{spec.position_rows, spec.width};
    const ValueId own = embedded(b, "position_embd", positions, in.positions);
    rows = b.apply("Add", "position_embd.added", {rows, own});
  }
  if (spec.embedding_scale == 1.0f) return rows;
  return multiplied(b, "token_embd.scaled", rows, spec.embedding_scale);
}

/// x + branch, normed first where the spec has it so.
ValueId add_branch(ArchBuilder& b, const DecoderSpec& spec, const std::string& name,
                   const std::string& norm_name, ValueId x, ValueId branch) {
  if (spec.norms_after) branch = norm(b, spec, norm_name, branch, spec.width);
  return b.apply("Add", name, {x, branch});
}

ValueId add_layer(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                  const DecoderRopes& ropes, std::int64_t layer, ValueId x) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const ValueId seen = norm(b, spec, blk + "attn_norm", x, spec.width);
  const ValueId mixed = attention(b, spec, in, ropes, layer, seen);
  x = add_branch(b, spec, blk + "attn_residual", blk + "post_attention_norm", x, mixed);
  const ValueId fed = feed_forward(b, spec, layer, norm(b, spec, blk + "ffn_norm", x, spec.width));
  return add_branch(b, spec, blk + "ffn_residual", blk + "post_ffw_norm", x, fed);
}

/// Only the rows asked for go through the largest matrix.
ValueId logits(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in, ValueId x) {
  x = b.apply("Gather", "logit_rows.hidden", {x, in.logit_rows});
  x = norm(b, spec, "output_norm", x, spec.width);
  const bool tied = !b.has_weight("output.weight");
  const ValueId head =
      b.weight(tied ? "token_embd.weight" : "output.weight", Shape{spec.vocab, spec.width});
  x = b.apply("polaris.Linear", "output", {x, head});
  if (spec.logit_cap == 0.0f) return x;
  x = multiplied(b, "output.small", x, 1.0f / spec.logit_cap);
  x = b.apply("Tanh", "output.bent", {x});
  return multiplied(b, "output.capped", x, spec.logit_cap);
}

Metadata describe(const ArchOptions& options, const DecoderSpec& spec) {
  return {
      {"block_count", spec.layers},
      {"embedding_length", spec.width},
      {"attention.head_count", spec.heads},
      {"attention.head_count_kv", spec.kv_heads},
      {"attention.key_length", spec.head_size},
      {"vocab_size", spec.vocab},
      {"context_length", spec.context},
      {"page_size", options.page_size},
      {"kv_type", std::string(kv_type_name(options.kv_type))},
  };
}

}  // namespace

Result<ArchModel> build_decoder(ArchBuilder& b, const DecoderSpec& spec) {
  if (!b.ok()) return b.finish().error();
  DecoderInputs in = add_decoder_inputs(b, spec);
  const DecoderRopes ropes = decoder_ropes(b, spec);
  ValueId x = embed(b, spec, in);
  for (std::int64_t layer = 0; layer < spec.layers && b.ok(); ++layer) {
    x = add_layer(b, spec, in, ropes, layer, x);
  }
  const ValueId y = logits(b, spec, in, x);
  if (b.ok()) b.graph().mark_output(y, "logits");
  b.graph().name = "main";
  auto graph = b.finish();
  if (!graph) return graph.error();
  return ArchModel{graph.take(), describe(b.input().options(), spec), std::move(in.contract)};
}

}  // namespace polaris
