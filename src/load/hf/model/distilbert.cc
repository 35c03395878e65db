#include "load/hf/bert_config.h"

namespace polaris::hf {
namespace {

constexpr NumberName kNumbers[] = {
    {"n_layers", "block_count"},
    {"dim", "embedding_length"},
    {"hidden_dim", "feed_forward_length"},
    {"n_heads", "attention.head_count"},
    {"max_position_embeddings", "context_length"},
};

constexpr std::string_view kPrefixes[] = {"distilbert."};

constexpr ModuleName kModules[] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.position_embeddings", "position_embd"},
    {"embeddings.LayerNorm", "token_embd_norm"},
    {"transformer.layer.*.attention.q_lin", "blk.*.attn_q"},
    {"transformer.layer.*.attention.k_lin", "blk.*.attn_k"},
    {"transformer.layer.*.attention.v_lin", "blk.*.attn_v"},
    {"transformer.layer.*.attention.out_lin", "blk.*.attn_output"},
    {"transformer.layer.*.sa_layer_norm", "blk.*.attn_output_norm"},
    {"transformer.layer.*.ffn.lin1", "blk.*.ffn_up"},
    {"transformer.layer.*.ffn.lin2", "blk.*.ffn_down"},
    {"transformer.layer.*.output_layer_norm", "blk.*.layer_output_norm"},
    {"vocab_transform", ""},
    {"vocab_layer_norm", ""},
    {"vocab_projector", ""},
};

void rest(Config& config) {
  config.only("activation", "gelu", {"gelu"});
  config.set("attention.layer_norm_epsilon", 1e-12);
}

}  // namespace

extern constinit const HfArchitecture hf_model_distilbert{
    .model_type = "distilbert",
    .ours = "bert",
    .prefixes = kPrefixes,
    .numbers = kNumbers,
    .modules = kModules,
    .rest = rest,
};

}  // namespace polaris::hf
