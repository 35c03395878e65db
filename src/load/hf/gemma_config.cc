#include "load/hf/gemma_config.h"

#include <cmath>

namespace polaris::hf {
namespace {

/// Null says that there is none, a missing key that it is the usual one.
void read_cap(Config& config, std::string_view key, std::string_view ours, double otherwise) {
  if (config.root()[key]) otherwise = 0.0;
  config.set(ours, config.number(key, 0.0, 1e6, otherwise));
}

}  // namespace

void read_gemma(Config& config, double attention_cap, double logit_cap) {
  config.only(config.get("hidden_activation") ? "hidden_activation" : "hidden_act",
              "gelu_pytorch_tanh", {"gelu_pytorch_tanh"});
  if (config.find("attention.key_length") == nullptr) {
    config.set("attention.key_length", std::int64_t{256});
  }
  const double scalar = config.number("query_pre_attn_scalar", 1e-6, 1e9, 256.0);
  config.set("attention.scale", 1.0 / std::sqrt(scalar));
  read_cap(config, "attn_logit_softcapping", "attn_logit_softcapping", attention_cap);
  read_cap(config, "final_logit_softcapping", "final_logit_softcapping", logit_cap);
}

}  // namespace polaris::hf
