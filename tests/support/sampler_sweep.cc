#include "support/sampler_sweep.h"

#include <limits>

namespace polaris::test {
namespace {

/// Every option so far with each of the values.
template <class T>
void cross(std::vector<SamplerOptions>& all, T SamplerOptions::*member, std::vector<T> values) {
  std::vector<SamplerOptions> out;
  for (const SamplerOptions& options : all) {
    for (const T& value : values) {
      out.push_back(options);
      out.back().*member = value;
    }
  }
  all = std::move(out);
}

}  // namespace

std::vector<SamplerOptions> sampler_sweep(std::int64_t vocabulary) {
  const auto last = static_cast<TokenId>(vocabulary - 1);
  constexpr float kForbids = -std::numeric_limits<float>::infinity();
  using Biases = std::vector<LogitBias>;
  std::vector<SamplerOptions> all(1);
  cross(all, &SamplerOptions::temperature, {0.0f, 0.7f, 1.5f});
  cross(all, &SamplerOptions::top_k, {0, 5, 40});
  cross(all, &SamplerOptions::top_p, {0.0f, 0.9f, 1.0f});
  cross(all, &SamplerOptions::min_p, {0.0f, 0.05f, 0.5f});
  cross(all, &SamplerOptions::typical_p, {0.8f, 1.0f});
  cross(all, &SamplerOptions::repetition_penalty, {0.8f, 1.0f, 1.3f});
  cross(all, &SamplerOptions::frequency_penalty, {0.0f, 0.5f});
  cross(all, &SamplerOptions::presence_penalty, {-0.5f, 0.0f});
  cross(all, &SamplerOptions::logit_bias,
        {Biases{}, Biases{{3, -2.5f}, {last, kForbids}}, Biases{{last / 2, 2.0f}}});
  std::vector<SamplerOptions> drawing = all;
  for (SamplerOptions& options : drawing) {
    if (options.temperature <= 0 || options.top_k != 0 || options.typical_p < 1) continue;
    for (const int version : {1, 2}) {
      all.push_back(options);
      all.back().mirostat = version;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i].seed = i;
  return all;
}

}  // namespace polaris::test
