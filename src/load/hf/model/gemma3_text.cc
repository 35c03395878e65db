#include "load/hf/gemma_config.h"

namespace polaris::hf {
namespace {

/// Layers that see a window turn by a base of their own, and are never stretched.
void read_ropes(Config& config) {
  const JsonValue newer = config.get("rope_parameters");
  const JsonValue whole = Config::get(newer, "full_attention");
  const JsonValue window = Config::get(newer, "sliding_attention");
  if (whole) {
    read_rope_of(config, whole, 1e6);
  } else {
    read_rope(config, 1e6);
  }
  const double base = config.number("rope_local_base_freq", 1.0, 1e12, 10000.0);
  config.set("rope.freq_base_swa", config.number(window, "rope_theta", 1.0, 1e12, base));
}

void rest(Config& config) {
  read_gemma(config, 0.0, 0.0);
  if (config.flag("use_bidirectional_attention", false)) {
    config.refuse("use_bidirectional_attention", "false");
  }
  read_ropes(config);
  config.set("attention.sliding_window",
             static_cast<std::int64_t>(config.number("sliding_window", 1.0, INT32_MAX, 4096.0)));
  const double period = config.number("sliding_window_pattern", 1.0, 1024.0, 6.0);
  config.set("attention.sliding_window_pattern", static_cast<std::int64_t>(period));
  read_windows(config, Windows::kNone, 4096.0);
}

}  // namespace

extern constinit const HfArchitecture hf_model_gemma3_text{
    .model_type = "gemma3_text",
    .ours = "gemma3",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kGemmaModules,
    .rest = rest,
};

}  // namespace polaris::hf
