#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

constexpr NumberName kNumbers[] = {
    {"n_layer", "block_count"},
    {"n_embd", "embedding_length"},
    {"n_inner", "feed_forward_length"},
    {"n_head", "attention.head_count"},
    {"n_positions", "context_length"},
    {"layer_norm_epsilon", "attention.layer_norm_epsilon", 1e-5},
};

constexpr std::string_view kPrefixes[] = {"transformer."};

constexpr ModuleName kModules[] = {
    {"wte", "token_embd"},
    {"wpe", "position_embd"},
    {"ln_f", "output_norm"},
    {"lm_head", "output"},
    {"h.*.ln_1", "blk.*.attn_norm"},
    {"h.*.ln_2", "blk.*.ffn_norm"},
    {"h.*.attn.c_attn", "blk.*.attn_qkv", WeightForm::kTransposed},
    {"h.*.attn.c_proj", "blk.*.attn_output", WeightForm::kTransposed},
    {"h.*.mlp.c_fc", "blk.*.ffn_up", WeightForm::kTransposed},
    {"h.*.mlp.c_proj", "blk.*.ffn_down", WeightForm::kTransposed},
    {"h.*.attn", ""},  // the mask
    {"h.*.attn.masked_bias", ""},
};

void rest(Config& config) {
  config.only("activation_function", "gelu_new", {"gelu_new", "gelu_pytorch_tanh"});
  if (config.find("feed_forward_length") == nullptr) {
    config.set("feed_forward_length",
               static_cast<std::int64_t>(4.0 * config.value_of("embedding_length").value_or(0.0)));
  }
  if (!config.flag("scale_attn_weights", true)) config.refuse("scale_attn_weights", "true");
  if (config.flag("scale_attn_by_inverse_layer_idx", false)) {
    config.refuse("scale_attn_by_inverse_layer_idx", "false");
  }
}

}  // namespace

extern constinit const HfArchitecture hf_model_gpt2{
    .model_type = "gpt2",
    .ours = "gpt2",
    .prefixes = kPrefixes,
    .numbers = kNumbers,
    .modules = kModules,
    .rest = rest,
};

}  // namespace polaris::hf
