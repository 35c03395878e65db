#include "load/hf/bert_config.h"

namespace polaris::hf {
namespace {

constexpr std::string_view kPrefixes[] = {"bert."};

constexpr ModuleName kModules[] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.position_embeddings", "position_embd"},
    {"embeddings.token_type_embeddings", "token_types"},
    {"embeddings.LayerNorm", "token_embd_norm"},
    {"embeddings.position_ids", ""},
    {"encoder.layer.*.attention.self.query", "blk.*.attn_q"},
    {"encoder.layer.*.attention.self.key", "blk.*.attn_k"},
    {"encoder.layer.*.attention.self.value", "blk.*.attn_v"},
    {"encoder.layer.*.attention.output.dense", "blk.*.attn_output"},
    {"encoder.layer.*.attention.output.LayerNorm", "blk.*.attn_output_norm"},
    {"encoder.layer.*.intermediate.dense", "blk.*.ffn_up"},
    {"encoder.layer.*.output.dense", "blk.*.ffn_down"},
    {"encoder.layer.*.output.LayerNorm", "blk.*.layer_output_norm"},
    {"pooler.", ""},
    {"cls.", ""},
};

}  // namespace

extern constinit const HfArchitecture hf_model_bert{
    .model_type = "bert",
    .ours = "bert",
    .prefixes = kPrefixes,
    .numbers = kBertNumbers,
    .modules = kModules,
    .rest = check_bert,
};

}  // namespace polaris::hf
