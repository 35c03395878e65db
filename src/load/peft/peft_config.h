#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace polaris::peft {

/// What adapter_config.json says of ranks and scales.
struct PeftConfig {
  std::int64_t rank = 0;
  double alpha = 0;
  bool by_root = false;  // "use_rslora": alpha is divided by the root of the rank
  /// Of modules whose name is, or ends in a dot and, the key; the first counts.
  std::vector<std::pair<std::string, std::int64_t>> ranks;
  std::vector<std::pair<std::string, double>> alphas;

  std::int64_t rank_of(std::string_view module) const;
  double scale_of(std::string_view module) const;
};

/// Errors: invalid (no JSON, a setting that is none); unsupported, naming a setting that nothing
/// here applies.
Result<PeftConfig> read_peft_config(std::string_view json);

}  // namespace polaris::peft
