#include "lora_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "load/load_adapter.h"

namespace polaris::cli {
namespace {

struct LoraText {
  std::string path;
  double scale = 1.0;
};

/// What stands behind the last '=' is the scale, if it is a number.
LoraText split_scale(const std::string& text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0) return {text};
  const auto scale = parse_f64(std::string_view(text).substr(at + 1));
  if (!scale || !std::isfinite(*scale)) return {text};
  return {text.substr(0, at), *scale};
}

}  // namespace

void declare_lora(CLI::App& app, std::vector<std::string>& texts) {
  app.add_option("--lora", texts,
                 "FILE[=SCALE]: an adapter, a GGUF file or a folder as PEFT saves it, and what it "
                 "is multiplied by; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

Result<std::shared_ptr<const AdapterSet>> load_adapters(const Common& common,
                                                        const std::vector<std::string>& texts) {
  if (texts.empty()) return std::shared_ptr<const AdapterSet>();
  if (texts.size() > kAdaptersMax) {
    return common.usage_error("--lora, got " + std::to_string(texts.size()) + ", wanted at most " +
                              std::to_string(kAdaptersMax));
  }
  auto set = std::make_shared<AdapterSet>();
  for (const std::string& text : texts) {
    const LoraText lora = split_scale(text);
    const auto same = [&](const Adapter& adapter) { return adapter.file == lora.path; };
    if (std::ranges::any_of(set->adapters, same)) {
      return common.usage_error("--lora, got '" + lora.path + "' twice, wanted each once");
    }
    auto adapter = load_adapter(lora.path, lora.scale);
    if (!adapter) return adapter.error();
    set->adapters.push_back(adapter.take());
  }
  set->per_text = static_cast<std::int64_t>(set->adapters.size());
  return std::shared_ptr<const AdapterSet>(std::move(set));
}

}  // namespace polaris::cli
