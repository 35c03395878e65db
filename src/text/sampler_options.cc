#include "text/sampler_options.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>

#include "base/strings.h"

namespace polaris {
namespace {

template <class T>
std::string number_text(T number) {
  if constexpr (std::floating_point<T>) {
    return format_f32(number);
  } else {
    return std::to_string(number);
  }
}

Status check_biases(const SamplerOptions& options, std::int64_t vocabulary) {
  const auto& biases = options.logit_bias;
  if (biases.size() > kLogitBiasesMax) {
    return Error::invalid("[sampler] logit biases, got " + std::to_string(biases.size()) +
                          ", wanted at most " + std::to_string(kLogitBiasesMax));
  }
  std::vector<TokenId> ids;
  for (const LogitBias& entry : biases) {
    ids.push_back(entry.id);
    if (entry.id < 0 || entry.id >= vocabulary) {
      return Error::invalid("[sampler] logit bias of token, got " + std::to_string(entry.id) +
                            ", wanted 0 to " + std::to_string(vocabulary - 1));
    }
    const bool forbids = std::isinf(entry.bias) && entry.bias < 0;
    // A NaN compares with nothing.
    if (!forbids && !(std::abs(entry.bias) <= kLogitBiasMax)) {
      return Error::invalid("[sampler] logit bias of token " + std::to_string(entry.id) + ", got " +
                            format_f32(entry.bias) + ", wanted " + format_f32(-kLogitBiasMax) +
                            " to " + format_f32(kLogitBiasMax) + ", or minus infinity");
    }
  }
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice == ids.end()) return Status::success();
  return Error::invalid("[sampler] logit bias of token " + std::to_string(*twice) +
                        ", got two, wanted one");
}

}  // namespace

Status check_sampler(const SamplerOptions& options, std::int64_t vocabulary) {
  Status status;
  visit_sampler_fields([&](const auto& field) {
    const auto number = options.*field.member;
    if (!status || (number >= field.low && number <= field.high)) return;
    status =
        Error::invalid("[sampler] " + std::string(field.name) + ", got " + number_text(number) +
                       ", wanted " + number_text(field.low) + " to " + number_text(field.high));
  });
  if (!status) return status;
  if (options.mirostat != 0 && options.temperature <= 0) {
    return Error::invalid("[sampler] temperature, got 0 (greedy), wanted more: mirostat draws");
  }
  return check_biases(options, vocabulary);
}

}  // namespace polaris
