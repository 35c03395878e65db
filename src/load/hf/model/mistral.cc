#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

constexpr double kWindow = 4096.0;

void rest(Config& config) {
  config.only("hidden_act", "silu", {"silu"});
  config.set("rope.interleaved", false);
  read_rope(config, 10000.0);
  read_windows(config, Windows::kAll, kWindow);
}

}  // namespace

extern constinit const HfArchitecture hf_model_mistral{
    .model_type = "mistral",
    .ours = "llama",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kDecoderModules,
    .rest = rest,
};

}  // namespace polaris::hf
