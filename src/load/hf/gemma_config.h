#pragma once
#include "load/hf/decoder_config.h"

namespace polaris::hf {

/// What Gemma 2 and 3 have in common: norms before and after, stored as their distance from one.
inline constexpr ModuleName kGemmaModules[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm", WeightForm::kPlusOne},
    {"lm_head", "output"},
    {"layers.*.input_layernorm", "blk.*.attn_norm", WeightForm::kPlusOne},
    {"layers.*.post_attention_layernorm", "blk.*.post_attention_norm", WeightForm::kPlusOne},
    {"layers.*.pre_feedforward_layernorm", "blk.*.ffn_norm", WeightForm::kPlusOne},
    {"layers.*.post_feedforward_layernorm", "blk.*.post_ffw_norm", WeightForm::kPlusOne},
    {"layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.self_attn.q_norm", "blk.*.attn_q_norm", WeightForm::kPlusOne},
    {"layers.*.self_attn.k_norm", "blk.*.attn_k_norm", WeightForm::kPlusOne},
    {"layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down_proj", "blk.*.ffn_down"},
};

/// Activation, size of a head, scale of queries and caps. `caps` are Transformers' own for
/// attention and logits, 0: none.
void read_gemma(Config& config, double attention_cap, double logit_cap);

}  // namespace polaris::hf
