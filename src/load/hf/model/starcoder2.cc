#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

constexpr NumberName kNumbers[] = {
    {"num_hidden_layers", "block_count"},
    {"hidden_size", "embedding_length"},
    {"intermediate_size", "feed_forward_length"},
    {"num_attention_heads", "attention.head_count"},
    {"num_key_value_heads", "attention.head_count_kv", 2.0},
    {"max_position_embeddings", "context_length"},
    {"norm_epsilon", "attention.layer_norm_epsilon", 1e-5},
};

constexpr ModuleName kModules[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.mlp.c_fc", "blk.*.ffn_up"},
    {"layers.*.mlp.c_proj", "blk.*.ffn_down"},
};

void rest(Config& config) {
  config.only("hidden_act", "gelu_pytorch_tanh", {"gelu_pytorch_tanh", "gelu_new"});
  read_rope(config, 10000.0);
  read_windows(config, Windows::kAll);
}

}  // namespace

extern constinit const HfArchitecture hf_model_starcoder2{
    .model_type = "starcoder2",
    .ours = "starcoder2",
    .prefixes = kDecoderPrefixes,
    .numbers = kNumbers,
    .modules = kModules,
    .rest = rest,
};

}  // namespace polaris::hf
