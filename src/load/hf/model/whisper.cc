#include "load/hf/architecture.h"

namespace polaris::hf {
namespace {

constexpr NumberName kNumbers[] = {
    {"decoder_layers", "block_count"},
    {"d_model", "embedding_length"},
    {"decoder_ffn_dim", "feed_forward_length"},
    {"decoder_attention_heads", "attention.head_count"},
    {"max_target_positions", "context_length"},
    {"encoder_layers", "enc.block_count"},
    {"encoder_ffn_dim", "enc.feed_forward_length"},
    {"encoder_attention_heads", "enc.attention.head_count"},
};

constexpr std::string_view kPrefixes[] = {"model."};

constexpr ModuleName kModules[] = {
    {"decoder.embed_tokens", "token_embd"},
    {"decoder.embed_positions", "position_embd"},
    {"decoder.layer_norm", "output_norm"},
    {"proj_out", "output"},
    {"decoder.layers.*.self_attn_layer_norm", "blk.*.attn_norm"},
    {"decoder.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"decoder.layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"decoder.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"decoder.layers.*.self_attn.out_proj", "blk.*.attn_output"},
    {"decoder.layers.*.encoder_attn_layer_norm", "blk.*.cross_attn_norm"},
    {"decoder.layers.*.encoder_attn.q_proj", "blk.*.cross_attn_q"},
    {"decoder.layers.*.encoder_attn.k_proj", "blk.*.cross_attn_k"},
    {"decoder.layers.*.encoder_attn.v_proj", "blk.*.cross_attn_v"},
    {"decoder.layers.*.encoder_attn.out_proj", "blk.*.cross_attn_output"},
    {"decoder.layers.*.final_layer_norm", "blk.*.ffn_norm"},
    {"decoder.layers.*.fc1", "blk.*.ffn_up"},
    {"decoder.layers.*.fc2", "blk.*.ffn_down"},
    {"encoder.conv1", "enc.conv1"},
    {"encoder.conv2", "enc.conv2"},
    {"encoder.embed_positions", "enc.position_embd"},
    {"encoder.layer_norm", "enc.output_norm"},
    {"encoder.layers.*.self_attn_layer_norm", "enc.blk.*.attn_norm"},
    {"encoder.layers.*.self_attn.q_proj", "enc.blk.*.attn_q"},
    {"encoder.layers.*.self_attn.k_proj", "enc.blk.*.attn_k"},
    {"encoder.layers.*.self_attn.v_proj", "enc.blk.*.attn_v"},
    {"encoder.layers.*.self_attn.out_proj", "enc.blk.*.attn_output"},
    {"encoder.layers.*.final_layer_norm", "enc.blk.*.ffn_norm"},
    {"encoder.layers.*.fc1", "enc.blk.*.ffn_up"},
    {"encoder.layers.*.fc2", "enc.blk.*.ffn_down"},
};

void rest(Config& config) {
  config.only("activation_function", "gelu", {"gelu"});
  if (config.flag("scale_embedding", false)) config.refuse("scale_embedding", "false");
}

}  // namespace

extern constinit const HfArchitecture hf_model_whisper{
    .model_type = "whisper",
    .ours = "whisper",
    .prefixes = kPrefixes,
    .numbers = kNumbers,
    .modules = kModules,
    .rest = rest,
};

}  // namespace polaris::hf
