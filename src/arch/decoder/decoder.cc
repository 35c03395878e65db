#include "arch/decoder/decoder.h"

#include <string>
#include <utility>

#include "arch/decoder/attention.h"
#include "arch/decoder/cross_attention.h"
#include "arch/decoder/embedding.h"
#include "arch/decoder/feed_forward.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/norm.h"

namespace polaris {
namespace {

/// x + branch, normed first where the spec has it so.
ValueId add_branch(ArchBuilder& b, const DecoderSpec& spec, const std::string& name,
                   const std::string& norm_name, ValueId x, ValueId branch) {
  if (spec.norms_after) branch = norm(b, spec, norm_name, branch, spec.width);
  return b.apply("Add", name, {x, branch});
}

/// All rows as they are before the logits'.
ValueId hidden(ArchBuilder& b, const DecoderSpec& spec, ValueId x) {
  // It has its place in the network, though not here.
  if (b.has_weight("output.weight")) b.weight_dim("output.weight", 2, 0);
  return norm(b, spec, "output_norm", x, spec.width);
}

/// Only the rows asked for go through the largest matrix.
ValueId logits(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in, ValueId x) {
  x = b.apply("Gather", "logit_rows.hidden", {x, in.logit_rows});
  x = norm(b, spec, "output_norm", x, spec.width);
  const bool tied = !b.has_weight("output.weight");
  const ValueId head =
      b.weight(tied ? "token_embd.weight" : "output.weight", Shape{spec.vocab, spec.width});
  const ValueId rows = x;
  x = b.apply("polaris.Linear", "output", {rows, head});
  if (!tied && b.adapters().ids.valid()) {
    AdaptersInUse& use = b.adapters();
    use.ids = b.apply("Gather", "logit_rows.adapters", {use.ids, in.logit_rows});
    const AdaptedMatrix matrix{"output.weight", spec.width, spec.vocab};
    x = adapted(b, "output", matrix, {0, spec.vocab}, rows, x);
  }
  if (spec.logit_cap == 0.0f) return x;
  x = multiplied(b, "output.small", x, 1.0f / spec.logit_cap);
  x = b.apply("Tanh", "output.bent", {x});
  return multiplied(b, "output.capped", x, spec.logit_cap);
}

Metadata describe(const ArchOptions& options, const DecoderSpec& spec, bool cached) {
  Metadata out = {
      {"block_count", spec.layers},
      {"embedding_length", spec.width},
      {"attention.head_count", spec.heads},
      {"attention.head_count_kv", spec.kv_heads},
      {"attention.key_length", spec.head_size},
      {"vocab_size", spec.vocab},
      {"context_length", spec.context},
  };
  if (!cached) return out;
  out.emplace("page_size", options.page_size);
  out.emplace("kv_type", std::string(kv_type_name(options.kv_type)));
  return out;
}

}  // namespace

ValueId add_decoder_layer(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                          const DecoderRopes& ropes, std::int64_t layer, ValueId x) {
  const std::string blk = "blk." + std::to_string(layer) + ".";
  const ValueId seen = norm(b, spec, blk + "attn_norm", x, spec.width);
  const ValueId mixed = attention(b, spec, in, ropes, layer, seen);
  x = add_branch(b, spec, blk + "attn_residual", blk + "post_attention_norm", x, mixed);
  if (spec.source_positions > 0) {
    const ValueId asks = norm(b, spec, blk + "cross_attn_norm", x, spec.width);
    x = b.apply("Add", blk + "cross_attn_residual", {x, cross_attention(b, spec, in, layer, asks)});
  }
  const ValueId fed =
      feed_forward(b, spec, layer, norm(b, spec, blk + spec.feed_forward_norm, x, spec.width));
  return add_branch(b, spec, blk + "ffn_residual", blk + "post_ffw_norm", x, fed);
}

Result<ArchModel> build_decoder(ArchBuilder& b, const DecoderSpec& spec) {
  const bool embeds = b.input().options().embed;
  if (!embeds) b.adapters().set = b.input().options().adapters;
  check_adapters_fit(b);
  if (!b.ok()) return b.finish().error();
  DecoderInputs in = embeds ? add_embedder_inputs(b, spec, true, Pooling::kLast, false)
                            : add_decoder_inputs(b, spec);
  const DecoderRopes ropes = decoder_ropes(b, spec);
  ValueId x = embed(b, spec, in);
  for (std::int64_t layer = 0; layer < spec.layers && b.ok(); ++layer) {
    x = add_decoder_layer(b, spec, in, ropes, layer, x);
  }
  const ValueId y = embeds ? hidden(b, spec, x) : logits(b, spec, in, x);
  check_adapters_built(b);
  if (b.ok()) b.graph().mark_output(y, embeds ? "hidden" : "logits");
  return finish_model(b, spec, in);
}

Result<ArchModel> finish_model(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in) {
  b.graph().name = "main";
  auto graph = b.finish();
  if (!graph) return graph.error();
  ArchModel out;
  out.graph = graph.take();
  out.hyperparameters = describe(b.input().options(), spec, !in.embedder);
  out.embedder = in.embedder;
  if (!in.embedder) out.decoder = std::move(in.contract);
  return out;
}

}  // namespace polaris
