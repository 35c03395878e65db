#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

constexpr ModuleName kModules[] = {
    {"embed_tokens", "token_embd"},
    {"norm", "output_norm"},
    {"lm_head", "output"},
    {"layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.self_attn.qkv_proj", "blk.*.attn_qkv"},
    {"layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.mlp.gate_up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"layers.*.self_attn.rotary_emb.", ""},
    {"rotary_emb.", ""},
};

void rest(Config& config) {
  config.only("hidden_act", "silu", {"silu"});
  read_rope(config, 10000.0);
  read_windows(config, Windows::kAll);
}

}  // namespace

extern constinit const HfArchitecture hf_model_phi3{
    .model_type = "phi3",
    .ours = "phi3",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kModules,
    .rest = rest,
};

}  // namespace polaris::hf
