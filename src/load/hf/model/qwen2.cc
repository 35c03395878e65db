#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

void rest(Config& config) {
  config.only("hidden_act", "silu", {"silu"});
  read_rope(config, 10000.0);
  if (!config.flag("use_sliding_window", false)) return;
  if (!config.get("layer_types")) config.refuse("use_sliding_window", "false, or layer_types");
  read_windows(config, Windows::kNone);
}

}  // namespace

extern constinit const HfArchitecture hf_model_qwen2{
    .model_type = "qwen2",
    .ours = "qwen2",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kDecoderModules,
    .rest = rest,
};

}  // namespace polaris::hf
