#pragma once
#include <vector>

#include "text/sampler_options.h"

namespace polaris::test {

/// Every combination of settings of samplers, each with a value that does nothing, some that do,
/// and those that raise logits. Tokens up to `vocabulary` have biases.
std::vector<SamplerOptions> sampler_sweep(std::int64_t vocabulary);

}  // namespace polaris::test
