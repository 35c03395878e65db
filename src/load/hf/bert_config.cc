#include "load/hf/bert_config.h"

#include <algorithm>

#include "load/hf/weight_form.h"

namespace polaris::hf {

void check_bert(Config& config) {
  config.only("hidden_act", "gelu", {"gelu"});
  config.only("position_embedding_type", "absolute", {"absolute"});
  if (config.flag("is_decoder", false)) config.refuse("is_decoder", "false");
}

void skip_padding_rows(Config& config) {
  const auto first = static_cast<std::int64_t>(config.number("pad_token_id", 0, 1 << 20, 1)) + 1;
  config.set(kFirstRow, first);
  const auto rows = static_cast<std::int64_t>(config.value_of("context_length").value_or(0.0));
  config.set("context_length", std::max<std::int64_t>(rows - first, 0));
}

const ModuleName kBertModules[16] = {
    {"embeddings.word_embeddings", "token_embd"},
    {"embeddings.position_embeddings", "position_embd", WeightForm::kFromRow},
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
    {"lm_head.", ""},
    {"cls.", ""},
};

}  // namespace polaris::hf
