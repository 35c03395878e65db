#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

void rest(Config& config) {
  config.only("hidden_act", "silu", {"silu"});
  config.set("rope.interleaved", false);
  read_rope(config, 10000.0);
}

}  // namespace

extern constinit const HfArchitecture hf_model_llama{
    .model_type = "llama",
    .ours = "llama",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kDecoderModules,
    .rest = rest,
};

}  // namespace polaris::hf
