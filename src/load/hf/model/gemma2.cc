#include "load/hf/gemma_config.h"

namespace polaris::hf {
namespace {

void rest(Config& config) {
  read_gemma(config, 50.0, 30.0);
  read_rope(config, 10000.0);
  config.set("attention.sliding_window",
             static_cast<std::int64_t>(config.number("sliding_window", 1.0, INT32_MAX, 4096.0)));
  read_windows(config, Windows::kNone, 4096.0);
}

}  // namespace

extern constinit const HfArchitecture hf_model_gemma2{
    .model_type = "gemma2",
    .ours = "gemma2",
    .prefixes = kDecoderPrefixes,
    .numbers = kDecoderNumbers,
    .modules = kGemmaModules,
    .rest = rest,
};

}  // namespace polaris::hf
