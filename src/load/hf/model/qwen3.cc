#include "load/hf/decoder_config.h"

namespace polaris::hf {
namespace {

void rest(Config& config) {
  config.only("hidden_act", "silu", {"silu"});
  if (config.find("attention.key_length") == nullptr) {
    config.set("attention.key_length", std::int64_t{128});
  }
  read_rope(config, 10000.0);
  if (!config.flag("use_sliding_window", false)) return;
  if (!config.get("layer_types")) config.refuse("use_sliding_window", "false, or layer_types");
  read_windows(config, Windows::kNone);
}

}  // namespace

extern constinit const HfArchitecture hf_model_qwen3{
    .model_type = "qwen3",
    .ours = "qwen3",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kDecoderModules,
    .rest = rest,
};

}  // namespace polaris::hf
